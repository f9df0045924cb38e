"""The four plain convolutions: standard, grouped, depthwise and pointwise."""

from common.layers import Conv2d
from common.layers.values import Padding, Pair
from common.spec import Node, family
from common.spec.entry import Case, Counts, Entry, sized


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


ENTRIES = (
    Entry(
        standard_conv,
        "LeCun et al., 1989: Backpropagation Applied to Handwritten Zip Code Recognition",
        cases=(
            Case("k2", standard_conv(6, 10, 2, bias=False), (1, 6, 4, 4)),
            Case("k3", standard_conv(6, 10, padding=1), (2, 6, 9, 12)),
            Case("s2", standard_conv(5, 8, stride=2, padding=1), (2, 5, 13, 10)),
            Case("d2", standard_conv(3, 7, dilation=2, padding=2), (2, 3, 11, 14)),
            Case("k4_same", standard_conv(3, 4, 4, padding="same"), (2, 3, 8, 7)),
            Case("s2_sides", standard_conv(3, 5, stride=2, padding=((0, 1), (1, 0))), (2, 3, 12, 9)),
            Case("unequal", standard_conv(4, 6, (3, 5), (2, 1), ((2, 1), (0, 3)), (2, 3)), (4, 4, 10, 15)),
        ),
        timed={"quick": (sized("c128", standard_conv(128, 128, padding=1, bias=False), (1, 128, 56, 56)),)},
        published={sized("k2", standard_conv(6, 10, 2, bias=False), (1, 6, 4, 4)): Counts((1, 10, 3, 3), 240, 0, 2160)},
        plain=True,
    ),
    Entry(
        grouped_conv,
        "Krizhevsky et al., 2012: ImageNet Classification with Deep CNNs",
        cases=(
            Case("k2_g2", grouped_conv(6, 10, 2, 2, bias=False), (1, 6, 4, 4)),
            Case("g3", grouped_conv(6, 12, 3, padding=1), (2, 6, 9, 12)),
            Case("unequal", grouped_conv(8, 12, 4, (3, 2), (2, 1), ((2, 1), (0, 3)), (2, 3)), (4, 8, 13, 10)),
            Case("g2_d2", grouped_conv(4, 6, 2, dilation=2, padding=2, bias=False), (2, 4, 11, 14)),
            Case("g2_k4", grouped_conv(4, 6, 2, 4, padding="same"), (2, 4, 9, 8)),
        ),
        timed={"quick": (sized("c128_g4", grouped_conv(128, 128, 4, padding=1, bias=False), (1, 128, 56, 56)),)},
        published={
            sized("k2_g2", grouped_conv(6, 10, 2, 2, bias=False), (1, 6, 4, 4)): Counts((1, 10, 3, 3), 120, 0, 1080)
        },
        plain=True,
    ),
    Entry(
        depthwise_conv,
        "Chollet, 2017: Xception, arXiv:1610.02357",
        cases=(
            Case("k2", depthwise_conv(6, 2, padding=0, bias=False), (1, 6, 4, 4)),
            Case("k3", depthwise_conv(5), (2, 5, 9, 12)),
            Case("s2", depthwise_conv(6, stride=2), (2, 6, 13, 10)),
            Case("d2", depthwise_conv(4, dilation=2, padding=2, bias=False), (2, 4, 11, 14)),
            Case("k4_s2_rule", depthwise_conv(4, 4, 2, "kernel_minus_stride"), (2, 4, 9, 12)),
            Case("k2_rule", depthwise_conv(3, 2, padding="kernel_minus_stride"), (1, 3, 4, 4)),
            Case("m2", depthwise_conv(3, multiplier=2), (2, 3, 8, 11)),
            Case("unequal", depthwise_conv(3, (3, 7), (2, 1), ((0, 1), (4, 3)), (3, 2)), (4, 3, 12, 15)),
        ),
        timed={"quick": (sized("c128", depthwise_conv(128, bias=False), (1, 128, 56, 56)),)},
        published={
            sized("k2", depthwise_conv(6, 2, padding=0, bias=False), (1, 6, 4, 4)): Counts((1, 6, 3, 3), 24, 0, 216)
        },
        plain=True,
    ),
    Entry(
        pointwise_conv,
        "Lin et al., 2013: Network in Network, arXiv:1312.4400",
        cases=(
            Case("on_3x3", pointwise_conv(6, 10, bias=False), (1, 6, 3, 3)),
            Case("bias", pointwise_conv(5, 3), (2, 5, 7, 10)),
            Case("s23", pointwise_conv(4, 7, (2, 3)), (4, 4, 9, 12)),
            Case("wide", pointwise_conv(64, 48), (2, 64, 5, 8)),
        ),
        timed={"quick": (sized("c128", pointwise_conv(128, 128, bias=False), (1, 128, 56, 56)),)},
        published={sized("on_3x3", pointwise_conv(6, 10, bias=False), (1, 6, 3, 3)): Counts((1, 10, 3, 3), 60, 0, 540)},
        plain=True,
    ),
)
