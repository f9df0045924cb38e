"""ConvNeXt and its block."""

from common.layers import GELU, Add, Conv2d, Flatten, GlobalAvgPool2d, LayerNorm2d, LayerScale, Linear
from common.layers.values import Depths, Init, Pair
from common.spec import INPUT, Node, chain, family
from common.spec.entry import Case, Counts, Entry, sized

EPS = 1e-6
NORMAL = Init("normal", std=0.02, zero_bias=True)  # truncated at two deviations in some ports


def block(prefix: str, source: str, channels: int, kernel_size: Pair = (7, 7), expansion: int = 4) -> list[Node]:
    """The nodes of a `convnext_block`, whose names start with ``prefix``, after the node ``source``."""
    height, width = kernel_size[0] // 2, kernel_size[1] // 2
    sizes = kernel_size, (1, 1), ((height, height), (width, width))
    inner = expansion * channels
    return [
        Node(f"{prefix}depthwise", Conv2d(channels, channels, *sizes, groups=channels, init=NORMAL), (source,)),
        Node(f"{prefix}norm", LayerNorm2d(channels, EPS)),
        Node(f"{prefix}expand", Conv2d(channels, inner, (1, 1), init=NORMAL)),
        Node(f"{prefix}act", GELU()),
        Node(f"{prefix}reduce", Conv2d(inner, channels, (1, 1), init=NORMAL)),
        Node(f"{prefix}scale", LayerScale(channels)),
        Node(f"{prefix}add", Add(), (f"{prefix}scale", source)),
    ]


@family
def convnext_block(channels: int, kernel_size: Pair = (7, 7), expansion: int = 4) -> list[Node]:
    """Depthwise 7 x 7, layer norm, 1 x 1 to ``expansion`` times the channels, GELU, 1 x 1 back, layer scale, shortcut.

    Liu et al., 2022, https://arxiv.org/abs/2201.03545. The norm is over the channels of each pixel. Stochastic depth,
    which drops the branch of whole samples in training, is left out: its rate is 0.
    """
    return block("", INPUT, channels, kernel_size, expansion)


@family
def convnext(in_channels: int = 3, classes: int = 1000, depths: Depths = (3, 3, 9, 3), width: int = 96) -> list[Node]:
    """ConvNeXt (Liu et al., 2022, https://arxiv.org/abs/2201.03545): tiny with the defaults, and logits as output.

    A stage doubles the channels, which start from ``width``; before all but the first, a norm and a 2 x 2 convolution
    of stride 2. ``width`` 40 and ``depths`` (2, 2, 6, 2) give timm's atto.
    """
    stem = Conv2d(in_channels, width, (4, 4), (4, 4), init=NORMAL)
    nodes, channels = [*chain("stem", ("conv", stem), ("norm", _norm(width)))], width
    for stage in range(len(depths)):
        if stage:
            conv = Conv2d(channels, 2 * channels, (2, 2), (2, 2), init=NORMAL)
            nodes += chain(f"downsamples.{stage - 1}", ("norm", _norm(channels)), ("conv", conv))
            channels *= 2
        for number in range(sum(depths[:stage]), sum(depths[: stage + 1])):
            nodes += block(f"blocks.{number}.", nodes[-1].name, channels)
    linear = Linear(channels, classes, init=NORMAL)
    return [
        *nodes,
        *chain(
            "head", ("pool", GlobalAvgPool2d()), ("norm", _norm(channels)), ("flatten", Flatten()), ("linear", linear)
        ),
    ]


def _norm(channels: int) -> LayerNorm2d:
    return LayerNorm2d(channels, EPS)


SOURCE = "Liu et al., 2022: A ConvNet for the 2020s, arXiv:2201.03545"
_LARGE = (1, 3, 224, 224)
_ATTO = convnext(depths=(2, 2, 6, 2), width=40)
ENTRIES = (
    Entry(
        convnext_block,
        SOURCE,
        cases=(
            Case("k7", convnext_block(8), (2, 8, 9, 12)),
            Case("unequal", convnext_block(6, (5, 3), 3), (4, 6, 11, 8)),
        ),
        timed={"quick": (sized("c96", convnext_block(96), (1, 96, 56, 56)),)},
    ),
    Entry(
        convnext,
        SOURCE,
        cases=(Case("narrow", convnext(2, 5, (1, 2), 6), (4, 2, 40, 24)),),
        timed={"full": (sized("atto", _ATTO, _LARGE), sized("tiny", convnext(), _LARGE))},
        # Computed from timm's convnext_atto and torchvision's convnext_tiny by FlopCounterMode / 2.
        published={
            sized("atto", _ATTO, _LARGE): Counts((1, 1000), 3_695_520, 0, 547_332_480),
            sized("tiny", convnext(), _LARGE): Counts((1, 1000), 28_589_128, 0, 4_455_531_264),
        },
    ),
)
