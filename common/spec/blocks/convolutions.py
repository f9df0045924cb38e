"""The four plain convolutions: standard, grouped, depthwise and pointwise."""

from common.layers import Conv2d
from common.layers.values import Padding, Pair
from common.spec import Node, family


@family
def standard_conv(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair = (3, 3),
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    bias: bool = True,
) -> list[Node]:
    """Every output channel reads every input channel.

    kh * kw * C_in * C_out weights, and that many MACs an output pixel.
    """
    return [Node("conv", Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias))]


@family
def grouped_conv(
    in_channels: int,
    out_channels: int,
    groups: int = 2,
    kernel_size: Pair = (3, 3),
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    bias: bool = True,
) -> list[Node]:
    """Channels are cut into ``groups`` runs, and output run g reads input run g only.

    1 / groups of the standard convolution's weights and MACs (Krizhevsky et al., "ImageNet Classification with Deep
    Convolutional Neural Networks", 2012).
    """
    conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
    return [Node("conv", conv)]


@family
def depthwise_conv(
    channels: int,
    kernel_size: Pair = (3, 3),
    stride: Pair = (1, 1),
    padding: Padding = ((1, 1), (1, 1)),
    dilation: Pair = (1, 1),
    multiplier: int = 1,
    bias: bool = True,
) -> list[Node]:
    """Each channel has ``multiplier`` kernels of its own; output channel c reads input channel c // multiplier.

    kh * kw * C * multiplier weights, and that many MACs an output pixel. Padding by the rule ``kernel_minus_stride``
    gives the layer that old Paddle code calls DepthwiseConv.
    """
    conv = Conv2d(channels, channels * multiplier, kernel_size, stride, padding, dilation, channels, bias)
    return [Node("conv", conv)]


@family
def pointwise_conv(in_channels: int, out_channels: int, stride: Pair = (1, 1), bias: bool = True) -> list[Node]:
    """A 1 x 1 convolution: a linear map of the channels, at each pixel on its own.

    C_in * C_out weights, and that many MACs an output pixel (Lin et al., "Network in Network", 2013,
    https://arxiv.org/abs/1312.4400).
    """
    return [Node("conv", Conv2d(in_channels, out_channels, (1, 1), stride, bias=bias))]
