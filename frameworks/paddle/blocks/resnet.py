"""ResNet in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Depths
from frameworks.paddle.blocks.residual import ConvNorm, ResidualBasic, ResidualBottleneck


class Head(nn.Layer):
    """Mean over the map, then the logits."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.linear(self.flatten(self.pool(x)))


class ResNet(nn.Layer):
    """ResNet: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: ``nn.MaxPool2D`` pads with minus infinity, as in PyTorch. ``nn.Linear`` holds ``[in, out]``.
    ``paddle.vision`` calls the convolutions of a block ``conv1`` to ``conv3``, the shortcut ``downsample``, and numbers
    blocks from 0 in each of ``layer1`` to ``layer4``, as torchvision does; here they are numbered through.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        depths: Depths = (2, 2, 2, 2),
        width: int = 64,
        bottlenecks: bool = False,
    ) -> None:
        super().__init__()
        make, expansion = (ResidualBottleneck, 4) if bottlenecks else (ResidualBasic, 1)
        self.stem = ConvNorm(in_channels, width, (7, 7), (2, 2), nn.ReLU)
        self.pool = nn.MaxPool2D(3, stride=2, padding=1)
        blocks, channels = [], width
        for stage, depth in enumerate(depths):
            out = width * 2**stage * expansion
            for i in range(depth):
                blocks.append(make(channels, out, (2, 2) if stage and i == 0 else (1, 1)))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = Head(channels, classes)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.pool(self.stem(x))
        return self.head(self.blocks(x))
