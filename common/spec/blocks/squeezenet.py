"""SqueezeNet and its fire module."""

import math

from common.layers import Concat, Conv2d, Dropout, Flatten, GlobalAvgPool2d, MaxPool2d, ReLU
from common.layers.values import Init, SpecError
from common.spec import INPUT, Node, chain, family
from common.spec.entry import Case, Counts, Entry, sized

INIT = Init("uniform", math.sqrt(2), zero_bias=True)  # Kaiming uniform, fan in, for ReLU
# Squeezed channels, and a quarter of those of each expansion, of the eight modules; pools come before these modules.
SQUEEZED, POOLED = (16, 16, 32, 32, 48, 48, 64, 64), (0, 2, 4)


def fire(prefix: str, source: str, in_channels: int, squeeze: int, expand: int, expand3: int) -> list[Node]:
    """The nodes of a `fire_module`, whose names start with ``prefix``, after the node ``source``."""
    spatial = Conv2d(squeeze, expand3, (3, 3), padding=((1, 1), (1, 1)), init=INIT)
    return [
        Node(f"{prefix}squeeze.conv", Conv2d(in_channels, squeeze, (1, 1), init=INIT), (source,)),
        Node(f"{prefix}squeeze.act", ReLU()),
        Node(f"{prefix}expand.conv", Conv2d(squeeze, expand, (1, 1), init=INIT)),
        Node(f"{prefix}expand.act", ReLU()),
        Node(f"{prefix}expand3.conv", spatial, (f"{prefix}squeeze.act",)),
        Node(f"{prefix}expand3.act", ReLU()),
        Node(f"{prefix}concat", Concat(), (f"{prefix}expand.act", f"{prefix}expand3.act")),
    ]


@family
def fire_module(in_channels: int, squeeze: int, expand: int, expand3: int) -> list[Node]:
    """1 x 1 to ``squeeze`` channels, then 1 x 1 to ``expand`` and 3 x 3 to ``expand3`` channels, concatenated.

    Iandola et al., 2016, https://arxiv.org/abs/1602.07360. Convolutions have a bias, and there are no norms.
    """
    return fire("", INPUT, in_channels, squeeze, expand, expand3)


@family
def squeezenet(
    in_channels: int = 3, classes: int = 1000, width: float = 1.0, modules: int = 8, dropout: float = 0.5
) -> list[Node]:
    """SqueezeNet 1.1 (Iandola et al., 2016, https://arxiv.org/abs/1602.07360), with logits as output.

    ``width`` scales the channels, ``int(c * width)``; ``modules`` keeps the first fire modules only. Pools leave out
    what is left at the bottom and right; torchvision's (``ceil_mode=True``) take it: the same for inputs of 224.

    Raises:
        SpecError: if ``width`` leaves a layer without channels, or for more ``modules`` than 8.
    """
    if int(16 * width) < 1:
        raise SpecError(f"`width` (={width}) must leave a module at least one of its 16 squeezed channels")
    if not 1 <= modules <= len(SQUEEZED):
        raise SpecError(f"`modules` (={modules}) must be from 1 to {len(SQUEEZED)}")
    channels = int(64 * width)
    nodes = [*chain("stem", ("conv", Conv2d(in_channels, channels, (3, 3), (2, 2), init=INIT)), ("act", ReLU()))]
    for number, squeeze in enumerate(SQUEEZED[:modules]):
        if number in POOLED:
            nodes.append(Node(f"pool{POOLED.index(number)}", MaxPool2d((3, 3), (2, 2))))
        expand = int(4 * squeeze * width)
        nodes += fire(f"blocks.{number}.", nodes[-1].name, channels, int(squeeze * width), expand, expand)
        channels = 2 * expand
    conv = Conv2d(channels, classes, (1, 1), init=Init("normal", std=0.01, zero_bias=True))
    head = ("dropout", Dropout(dropout)), ("conv", conv), ("act", ReLU()), ("pool", GlobalAvgPool2d())
    return [*nodes, *chain("head", *head, ("flatten", Flatten()))]


_SOURCE = "Iandola et al., 2016: SqueezeNet, arXiv:1602.07360"
_LARGE = (1, 3, 224, 224)
ENTRIES = (
    Entry(
        fire_module,
        _SOURCE,
        cases=(
            Case("e6_5", fire_module(5, 3, 6, 5), (2, 5, 9, 12), seed=2),
            Case("e4_7", fire_module(4, 2, 4, 7), (4, 4, 8, 7)),
        ),
        timed={"quick": (sized("c128", fire_module(128, 32, 128, 128), (1, 128, 28, 28)),)},
    ),
    Entry(
        squeezenet,
        _SOURCE,
        cases=(Case("narrow", squeezenet(2, 5, 0.15, 3, dropout=0.3), (4, 2, 39, 31), seed=2),),
        timed={"full": (sized("v11", squeezenet(), _LARGE),)},
        # Computed from torchvision's squeezenet1_1, by FlopCounterMode / 2.
        published={sized("v11", squeezenet(), _LARGE): Counts((1, 1000), 1_235_496, 0, 349_151_936)},
    ),
)
