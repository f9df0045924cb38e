"""MobileNetV1 in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Pair

# Output channels at alpha 1 and stride of the 13 separable blocks.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


class ConvBnReLU(nn.Layer):
    """Convolution that keeps the size (apart from its stride), norm, ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        padding, attr = kernel_size // 2, None if bias else False
        self.conv = nn.Conv2D(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias_attr=attr)
        self.norm = nn.BatchNorm2D(out_channels)
        self.act = nn.ReLU()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.act(self.norm(self.conv(x)))


class SeparableBlock(nn.Layer):
    """3 x 3 depthwise and pointwise convolution, each with norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, bias: bool) -> None:
        super().__init__()
        self.depthwise = ConvBnReLU(in_channels, in_channels, 3, stride, groups=in_channels, bias=bias)
        self.pointwise = ConvBnReLU(in_channels, out_channels, 1, bias=bias)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nn.Layer):
    """MobileNetV1: ``[n, in_channels, h, w] -> [n, classes]``, where h, w are 32 times ``pool_size``.

    Porting notes: the weight of ``nn.Linear`` is ``[in, out]`` (PyTorch: ``[out, in]``) and starts Xavier uniform; the
    bias starts at 0. ``nn.AvgPool2D`` leaves its padding out of the mean (``exclusive=True``, the opposite of PyTorch);
    this block pads nothing there. ``nn.CrossEntropyLoss`` applies a softmax itself unless ``use_softmax=False``: train
    with ``softmax=False``.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        alpha: float = 1.0,
        bias: bool = True,
        dropout: float = 0.5,
        pool_size: Pair = (7, 7),
        softmax: bool = True,
    ) -> None:
        super().__init__()
        widths = [int(channels * alpha) for channels, _ in BLOCKS]
        strides = [stride for _, stride in BLOCKS]
        inputs = [int(32 * alpha), *widths[:-1]]
        self.stem = ConvBnReLU(in_channels, inputs[0], 3, stride=2, bias=bias)
        self.blocks = nn.Sequential(
            *(SeparableBlock(*sizes, bias=bias) for sizes in zip(inputs, widths, strides, strict=True))
        )
        self.pool = nn.AvgPool2D(pool_size)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(widths[-1], classes)
        self.softmax = nn.Softmax(axis=1) if softmax else nn.Identity()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.blocks(self.stem(x))
        x = self.dropout(self.flatten(self.pool(x)))
        return self.softmax(self.linear(x))
