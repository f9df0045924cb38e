"""GhostNet's module in Paddle."""

import math

import paddle
from paddle import nn

from common.layers.values import Pair


class ConvBn(nn.Layer):
    """Convolution that keeps the size (apart from its stride), norm, and a ReLU if ``relu``."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Pair, stride: Pair, groups: int, relu: bool
    ) -> None:
        super().__init__()
        padding = (kernel_size[0] // 2, kernel_size[1] // 2)
        self.conv = nn.Conv2D(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias_attr=False)
        self.norm = nn.BatchNorm2D(out_channels)
        self.act = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.act(self.norm(self.conv(x)))


class GhostModule(nn.Layer):
    """``out_channels`` maps, 1/ratio of them from a convolution and the rest from cheap depthwise kernels; NCHW.

    Porting notes: ``nn.Conv2D`` runs the operator ``depthwise_conv2d`` if ``groups`` is ``in_channels``, divides
    ``out_channels`` and is not 1, as in the cheap convolution. With other groups it runs ``conv2d``. Output c of the
    cheap convolution reads primary map ``c // (ratio - 1)``, as in PyTorch.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (1, 1),
        cheap_kernel_size: Pair = (3, 3),
        ratio: int = 2,
        stride: Pair = (1, 1),
        relu: bool = True,
    ) -> None:
        super().__init__()
        maps = math.ceil(out_channels / ratio)
        self.out_channels = out_channels
        self.primary = ConvBn(in_channels, maps, kernel_size, stride, groups=1, relu=relu)
        self.cheap = ConvBn(maps, maps * (ratio - 1), cheap_kernel_size, (1, 1), groups=maps, relu=relu)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        primary = self.primary(x)
        cheap = self.cheap(primary)
        return paddle.concat([primary, cheap], axis=1)[:, : self.out_channels]
