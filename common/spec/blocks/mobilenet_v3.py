"""MobileNetV3."""

from typing import Any

from common.layers import Dropout, Flatten, GlobalAvgPool2d, Hardswish, Linear
from common.layers.values import Init, SpecError
from common.spec import Node, chain, family
from common.spec.blocks.inverted import divisible, inverted
from common.spec.blocks.residual import conv_norm
from common.spec.entry import Case, Counts, Entry, sized

# Kernel, hidden and output channels, squeeze-excite, activation and stride (tables 1 and 2 of the paper).
SMALL = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (5, 240, 40, True, "hardswish", 1),
    (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1),
    (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1),
    (5, 576, 96, True, "hardswish", 1),
)
LARGE = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2),
    (3, 200, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 480, 112, True, "hardswish", 1),
    (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2),
    (5, 960, 160, True, "hardswish", 1),
    (5, 960, 160, True, "hardswish", 1),
)


@family
def mobilenet_v3(
    in_channels: int = 3,
    classes: int = 1000,
    large: bool = True,
    width: float = 1.0,
    blocks: int = 0,
    dropout: float = 0.2,
) -> list[Node]:
    """MobileNetV3, large or small (Howard et al., 2019, https://arxiv.org/abs/1905.02244), with logits as output.

    ``width`` scales the channels, which are rounded to multiples of 8; ``blocks`` keeps the first ones only, 0 all.
    Norms have torchvision's ``eps`` and ``momentum``, 1e-3 and 0.01, as TensorFlow's have.

    Raises:
        SpecError: for a ``width`` that is not positive or more ``blocks`` than there are.
    """
    rows, features = (LARGE, 1280) if large else (SMALL, 1024)
    if width <= 0:
        raise SpecError(f"`width` (={width}) must be positive")
    if not 0 <= blocks <= len(rows):
        raise SpecError(f"`blocks` (={blocks}) must be from 1 to {len(rows)}, or 0 for all")
    norm: dict[str, Any] = {"eps": 1e-3, "momentum": 0.01}
    channels = divisible(16 * width)
    nodes = conv_norm("stem", in_channels, channels, (3, 3), (2, 2), Hardswish(), **norm)
    for number, (kernel, hidden, out, squeezed, act, stride) in enumerate(rows[: blocks or None]):
        hidden, out = divisible(hidden * width), divisible(out * width)
        squeeze = divisible(hidden // 4) if squeezed else 0
        sizes = channels, out, hidden, (kernel, kernel), (stride, stride)
        nodes += inverted(f"blocks.{number}.", nodes[-1].name, *sizes, act, squeeze, **norm)
        channels = out
    features, init = divisible(features * width), Init("normal", std=0.01, zero_bias=True)
    return [
        *nodes,
        *conv_norm("last", channels, 6 * channels, act=Hardswish(), **norm),
        *chain(
            "head",
            ("pool", GlobalAvgPool2d()),
            ("flatten", Flatten()),
            ("hidden", Linear(6 * channels, features, init=init)),
            ("act", Hardswish()),
            ("dropout", Dropout(dropout)),
            ("linear", Linear(features, classes, init=init)),
        ),
    ]


_LARGE = (1, 3, 224, 224)
ENTRIES = (
    Entry(
        mobilenet_v3,
        "Howard et al., 2019: Searching for MobileNetV3, arXiv:1905.02244",
        cases=(
            Case("narrow_large", mobilenet_v3(3, 7, True, 0.3, 4), (4, 3, 32, 24), also_in_float64=True),
            Case("narrow_small", mobilenet_v3(2, 5, False, 0.2, 5, dropout=0.3), (4, 2, 40, 32)),
        ),
        timed={
            "full": (sized("small", mobilenet_v3(large=False), _LARGE), sized("large", mobilenet_v3(), _LARGE)),
        },
        # Computed from torchvision's mobilenet_v3_small and mobilenet_v3_large, by FlopCounterMode / 2.
        published={
            sized("small", mobilenet_v3(large=False), _LARGE): Counts((1, 1000), 2_542_856, 12_112, 56_510_400),
            sized("large", mobilenet_v3(), _LARGE): Counts((1, 1000), 5_483_032, 24_400, 216_589_760),
        },
    ),
)
