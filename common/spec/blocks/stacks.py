"""Two stacks of equal shape, one standard and one separable: what the second saves is the question."""

from common.layers import BatchNorm2d, Conv2d, LeakyReLU
from common.spec import Node, chain, family

ONE = ((1, 1), (1, 1))  # a pixel of padding on every side


@family
def conv_stack(
    in_channels: int, width: int = 128, depth: int = 10, affine: bool = True, negative_slope: float = 0.01
) -> list[Node]:
    """``depth`` times: 3 x 3 convolution without bias, norm, LeakyReLU."""
    nodes: list[Node] = []
    for i in range(depth):
        conv = Conv2d(in_channels if i == 0 else width, width, (3, 3), (1, 1), ONE, bias=False)
        norm = BatchNorm2d(width, affine=affine)
        nodes += chain(f"blocks.{i}", ("conv", conv), ("norm", norm), ("act", LeakyReLU(negative_slope)))
    return nodes


@family
def separable_stack(
    in_channels: int, width: int = 128, depth: int = 10, affine: bool = True, negative_slope: float = 0.01
) -> list[Node]:
    """``depth`` times: 3 x 3 depthwise and pointwise convolution without bias, norm, LeakyReLU.

    Nothing stands between the two convolutions: this is not the block of `depthwise_separable`.
    """
    nodes: list[Node] = []
    for i in range(depth):
        channels = in_channels if i == 0 else width
        nodes += chain(
            f"blocks.{i}",
            ("depthwise", Conv2d(channels, channels, (3, 3), (1, 1), ONE, groups=channels, bias=False)),
            ("pointwise", Conv2d(channels, width, (1, 1), bias=False)),
            ("norm", BatchNorm2d(width, affine=affine)),
            ("act", LeakyReLU(negative_slope)),
        )
    return nodes
