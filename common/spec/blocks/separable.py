"""Convolution, norm and activation; and the depthwise-separable block made of two of them."""

from common.layers import BatchNorm2d, Conv2d, LeakyReLU
from common.layers.values import Padding, Pair
from common.spec import Node, chain, family
from common.spec.entry import Case, Counts, Entry, sized


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


ENTRIES = (
    Entry(
        conv_bn_act,
        "Ioffe and Szegedy, 2015: Batch Normalization, arXiv:1502.03167",
        cases=(
            Case("k3", conv_bn_act(6, 10), (2, 6, 9, 12)),
            Case("s2_bias", conv_bn_act(3, 8, stride=2, bias=True), (3, 3, 13, 10)),
            Case("affine_off", conv_bn_act(3, 5, affine=False), (2, 3, 8, 11)),
            Case("unequal", conv_bn_act(4, 6, (3, 2), (2, 1), ((2, 1), (0, 3)), (2, 3), groups=2), (4, 4, 11, 14)),
            Case("eps_momentum", conv_bn_act(4, 5, eps=1e-3, momentum=0.03, negative_slope=0.2), (2, 4, 7, 10)),
            Case("k2_relu", conv_bn_act(4, 6, 2, padding=0, negative_slope=0.0), (2, 4, 9, 8)),
        ),
        timed={"quick": (sized("c128", conv_bn_act(128, 128), (1, 128, 56, 56)),)},
        plain=True,
    ),
    Entry(
        depthwise_separable,
        "Howard et al., 2017: MobileNets, arXiv:1704.04861",
        cases=(
            Case("c3_64", depthwise_separable(3, 64), (1, 3, 96, 80)),
            Case("k3", depthwise_separable(6, 10), (2, 6, 9, 12)),
            Case("s2", depthwise_separable(5, 8, stride=2), (2, 5, 13, 10)),
            Case(
                "unequal",
                depthwise_separable(4, 7, (3, 2), (2, 1), ((2, 1), (0, 3)), (2, 3), bias=False, negative_slope=0.3),
                (4, 4, 11, 14),
            ),
            Case("k4_same", depthwise_separable(3, 5, 4, padding="same"), (2, 3, 8, 7), seed=1),
            Case("k5_affine_off", depthwise_separable(4, 6, 5, padding=2, affine=False), (2, 4, 10, 13)),
            Case("s2_sides", depthwise_separable(3, 5, stride=2, padding=((0, 1), (1, 0))), (2, 3, 12, 9)),
        ),
        timed={"quick": (sized("c3_64", depthwise_separable(3, 64), (1, 3, 224, 224)),)},
        published={
            sized("c3_64", depthwise_separable(3, 64), (1, 3, 224, 224)): Counts(
                (1, 64, 224, 224), 420, 134, 10_988_544
            )
        },
    ),
)
