"""The port to Paddle: BatchNorm's `momentum` is the weight of the old value, 0.9, and `bias=False` has another name."""

import paddle
from paddle import nn


class Net(nn.Layer):
    """Images (n, 3, h, w) to ``classes`` numbers each."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.stem = nn.Conv2D(3, 8, 3, stride=2, padding=1, bias_attr=False)
        self.stem_norm = nn.BatchNorm2D(8)
        self.depthwise = nn.Conv2D(8, 8, 3, padding=1, groups=8, bias_attr=False)
        self.pointwise = nn.Conv2D(8, 12, 1, bias_attr=False)
        self.norm = nn.BatchNorm2D(12)
        self.head = nn.Linear(12, classes)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = nn.functional.relu(self.stem_norm(self.stem(x)))
        x = nn.functional.relu(self.norm(self.pointwise(self.depthwise(x))))
        return self.head(x.mean((2, 3)))
