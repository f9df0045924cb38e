"""Two stacks of equal shape, one standard and one separable, to show what the second saves."""

from common.layers import BatchNorm2d, Conv2d, LeakyReLU
from common.layers.values import positive
from common.spec import Node, chain, family
from common.spec.entry import Case, Counts, Entry, sized

DEEPEST = 1000  # layers of a stack
ONE = ((1, 1), (1, 1))  # a pixel of padding on every side


@family
def conv_stack(
    in_channels: int, width: int = 128, depth: int = 10, affine: bool = True, negative_slope: float = 0.01
) -> list[Node]:
    """``depth`` times: 3 x 3 convolution without bias, norm, LeakyReLU."""
    nodes: list[Node] = []
    for i in range(positive("depth", depth, DEEPEST)):
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
    for i in range(positive("depth", depth, DEEPEST)):
        channels = in_channels if i == 0 else width
        nodes += chain(
            f"blocks.{i}",
            ("depthwise", Conv2d(channels, channels, (3, 3), (1, 1), ONE, groups=channels, bias=False)),
            ("pointwise", Conv2d(channels, width, (1, 1), bias=False)),
            ("norm", BatchNorm2d(width, affine=affine)),
            ("act", LeakyReLU(negative_slope)),
        )
    return nodes


# The seeds: with most others a step of training takes an activation across the kink of a LeakyReLU
# within its rounding, and float32 cannot judge the rest.
ENTRIES = (
    Entry(
        conv_stack,
        "the standard twin of `separable_stack`",
        cases=(
            Case("c3", conv_stack(3), (1, 3, 12, 20)),
            Case("deep", conv_stack(3, 4), (4, 3, 5, 7), seed=3),
            Case("affine_off", conv_stack(5, 8, 3, affine=False), (2, 5, 9, 12)),
            Case("slope", conv_stack(3, 6, 2, negative_slope=0.3), (2, 3, 8, 11)),
        ),
        timed={
            "quick": (sized("c3", conv_stack(3), (1, 3, 48, 48)),),
            "full": (sized("c3", conv_stack(3), (1, 3, 256, 256)),),
        },
        published={
            sized("c3", conv_stack(3), (1, 3, 256, 256)): Counts((1, 128, 256, 256), 1_333_120, 2560, 87_199_580_160)
        },
    ),
    Entry(
        separable_stack,
        "Chollet, 2017: Xception, arXiv:1610.02357 (no activation between)",
        cases=(
            Case("c3", separable_stack(3), (1, 3, 12, 20)),
            Case("deep", separable_stack(3, 5), (4, 3, 5, 7), seed=1),
            Case("affine_off", separable_stack(5, 8, 3, affine=False), (2, 5, 9, 12), seed=2),
            Case("slope", separable_stack(3, 6, 2, negative_slope=0.3), (2, 3, 8, 11)),
        ),
        timed={
            "quick": (sized("c3", separable_stack(3), (1, 3, 48, 48)),),
            "full": (sized("c3", separable_stack(3), (1, 3, 256, 256)),),
        },
        published={
            sized("c3", separable_stack(3), (1, 3, 256, 256)): Counts((1, 128, 256, 256), 160_795, 2560, 10_370_088_960)
        },
    ),
)
