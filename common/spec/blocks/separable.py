"""Convolution, norm and activation; and the depthwise-separable block made of two of them."""

from common.layers import BatchNorm2d, Conv2d, LeakyReLU
from common.layers.values import Padding, Pair
from common.spec import Node, chain, family


@family
def conv_bn_act(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair = (3, 3),
    stride: Pair = (1, 1),
    padding: Padding = ((1, 1), (1, 1)),
    dilation: Pair = (1, 1),
    groups: int = 1,
    bias: bool = False,
    eps: float = 1e-5,
    momentum: float = 0.1,
    affine: bool = True,
    negative_slope: float = 0.01,
) -> list[Node]:
    """Convolution, batch normalisation, LeakyReLU (a ReLU if ``negative_slope`` is 0).

    A bias before the norm is redundant: training subtracts it again.
    """
    return [
        Node("conv", Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)),
        Node("norm", BatchNorm2d(out_channels, eps, momentum, affine)),
        Node("act", LeakyReLU(negative_slope)),
    ]


@family
def depthwise_separable(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair = (3, 3),
    stride: Pair = (1, 1),
    padding: Padding = ((1, 1), (1, 1)),
    dilation: Pair = (1, 1),
    bias: bool = True,
    affine: bool = True,
    negative_slope: float = 0.1,
) -> list[Node]:
    """Depthwise convolution, norm, activation; then pointwise convolution, norm, activation.

    1 / C_out + 1 / (kh * kw) of the standard convolution's weights and MACs (Howard et al., "MobileNets", 2017,
    https://arxiv.org/abs/1704.04861, with LeakyReLU for ReLU and with biases).
    """
    depthwise = Conv2d(in_channels, in_channels, kernel_size, stride, padding, dilation, in_channels, bias)
    return [
        *chain(
            "depthwise",
            ("conv", depthwise),
            ("norm", BatchNorm2d(in_channels, affine=affine)),
            ("act", LeakyReLU(negative_slope)),
        ),
        *chain(
            "pointwise",
            ("conv", Conv2d(in_channels, out_channels, (1, 1), bias=bias)),
            ("norm", BatchNorm2d(out_channels, affine=affine)),
            ("act", LeakyReLU(negative_slope)),
        ),
    ]
