"""GhostNet and its bottleneck."""

from common.layers import Add, Conv2d, Dropout, Flatten, GlobalAvgPool2d, Linear, ReLU
from common.layers.values import Pair, SpecError
from common.spec import INPUT, Node, chain, family
from common.spec.blocks.ghost import ghost
from common.spec.blocks.inverted import checked, squeeze_excite
from common.spec.blocks.residual import HE, conv_norm
from common.spec.entry import Case, Counts, Entry, sized

# Kernel, hidden and output channels, whether there is squeeze-excite, and stride (table 1 of the paper).
BLOCKS = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    *[(3, 184, 80, False, 1)] * 2,
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    *[(5, 960, 160, False, 1), (5, 960, 160, True, 1)] * 2,
)


def divisible(channels: float) -> int:
    """The nearest multiple of 4 that is at least 4 and at least 0.9 ``channels``."""
    rounded = max(4, int(channels + 2) // 4 * 4)
    return rounded + 4 if rounded < 0.9 * channels else rounded


def bottleneck(
    prefix: str,
    source: str,
    in_channels: int,
    out_channels: int,
    hidden: int,
    kernel_size: Pair,
    stride: Pair,
    squeeze: int = 0,
) -> list[Node]:
    """The nodes of a `ghost_bottleneck`, whose names start with ``prefix``, after the node ``source``."""
    strided = stride != (1, 1)
    nodes = ghost(f"{prefix}expand.", source, in_channels, hidden)
    if strided:
        nodes += conv_norm(f"{prefix}depthwise", hidden, hidden, kernel_size, stride, groups=hidden)
    if squeeze:
        nodes += squeeze_excite(f"{prefix}squeeze", nodes[-1].name, hidden, squeeze, "relu", "hardsigmoid")
    nodes += ghost(f"{prefix}project.", nodes[-1].name, hidden, out_channels, relu=False)
    end = nodes[-1].name
    if strided or in_channels != out_channels:
        sizes = in_channels, in_channels, kernel_size, stride, None, source, in_channels
        nodes += conv_norm(f"{prefix}shortcut.depthwise", *sizes)
        nodes += conv_norm(f"{prefix}shortcut.pointwise", in_channels, out_channels)
        source = nodes[-1].name
    return [*nodes, Node(f"{prefix}add", Add(), (end, source))]


@family
def ghost_bottleneck(
    in_channels: int,
    out_channels: int,
    hidden: int,
    kernel_size: Pair = (3, 3),
    stride: Pair = (1, 1),
    squeeze: int = 0,
) -> list[Node]:
    """A ghost module to ``hidden`` channels and one to ``out_channels`` without ReLU, beside a shortcut.

    Han et al., 2020, https://arxiv.org/abs/1911.11907. Between them are a depthwise convolution, only if there is a
    stride, and squeeze-excite of ``squeeze`` channels, if that is not 0.

    Raises:
        SpecError: for even kernels or a negative ``squeeze``.
    """
    checked(kernel_size, squeeze)
    return bottleneck("", INPUT, in_channels, out_channels, hidden, kernel_size, stride, squeeze)


@family
def ghostnet(
    in_channels: int = 3,
    classes: int = 1000,
    width: float = 1.0,
    blocks: int = 16,
    features: int = 1280,
    dropout: float = 0.2,
) -> list[Node]:
    """GhostNet (Han et al., 2020, https://arxiv.org/abs/1911.11907), with logits as output.

    ``width`` scales the channels, which are rounded to multiples of 4; ``blocks`` keeps the first ones only. A 1 x 1
    convolution after the pool makes ``features`` channels at any width.

    Raises:
        SpecError: for a ``width`` that is not positive or more ``blocks`` than 16.
    """
    if width <= 0:
        raise SpecError(f"`width` (={width}) must be positive")
    if not 1 <= blocks <= len(BLOCKS):
        raise SpecError(f"`blocks` (={blocks}) must be from 1 to {len(BLOCKS)}")
    channels, hidden = divisible(16 * width), 0
    nodes = conv_norm("stem", in_channels, channels, (3, 3), (2, 2), ReLU())
    for number, (kernel, hidden, out, squeezed, stride) in enumerate(BLOCKS[:blocks]):
        hidden, out = divisible(hidden * width), divisible(out * width)
        sizes = channels, out, hidden, (kernel, kernel), (stride, stride)
        nodes += bottleneck(f"blocks.{number}.", nodes[-1].name, *sizes, divisible(hidden / 4) if squeezed else 0)
        channels = out
    return [
        *nodes,
        *conv_norm("last", channels, hidden, act=ReLU()),
        *chain(
            "head",
            ("pool", GlobalAvgPool2d()),
            ("conv", Conv2d(hidden, features, (1, 1), init=HE)),
            ("act", ReLU()),
            ("flatten", Flatten()),
            ("dropout", Dropout(dropout)),
            ("linear", Linear(features, classes)),
        ),
    ]


_LARGE = (1, 3, 224, 224)
_SOURCE = "Han et al., 2020: GhostNet, arXiv:1911.11907"
ENTRIES = (
    Entry(
        ghost_bottleneck,
        _SOURCE,
        cases=(
            Case("identity", ghost_bottleneck(5, 5, 8), (2, 5, 9, 12)),
            Case("squeeze", ghost_bottleneck(4, 7, 9, squeeze=3), (2, 4, 7, 10), seed=1),
            Case("unequal", ghost_bottleneck(5, 6, 8, (5, 3), (2, 1)), (4, 5, 11, 8), seed=4),
        ),
        timed={"quick": (sized("c40", ghost_bottleneck(40, 40, 120, 5, squeeze=32), (1, 40, 28, 28)),)},
    ),
    Entry(
        ghostnet,
        _SOURCE,
        cases=(Case("narrow", ghostnet(2, 5, 0.3, 4, 6, dropout=0.3), (4, 2, 24, 32), also_in_float64=True),),
        timed={"full": (sized("w100", ghostnet(), _LARGE),)},
        # Computed from timm's ghostnet_100, by FlopCounterMode / 2.
        published={sized("w100", ghostnet(), _LARGE): Counts((1, 1000), 5_182_508, 21_968, 141_150_512)},
    ),
)
