"""MobileNetV2."""

from common.layers import Dropout, Flatten, GlobalAvgPool2d, Linear, ReLU6
from common.layers.values import Depths, Init, SpecError
from common.spec import Node, chain, family
from common.spec.blocks.inverted import divisible, inverted
from common.spec.blocks.residual import conv_norm
from common.spec.entry import Case, Counts, Entry, sized

# Expansion, output channels and stride of each stage (table 2 of the paper).
STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 2), (6, 64, 2), (6, 96, 1), (6, 160, 2), (6, 320, 1))


@family
def mobilenet_v2(
    in_channels: int = 3,
    classes: int = 1000,
    width: float = 1.0,
    depths: Depths = (1, 2, 3, 4, 3, 3, 1),
    features: int = 1280,
    dropout: float = 0.2,
) -> list[Node]:
    """MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381), with logits as output.

    ``width`` scales the channels, which are rounded to multiples of 8, and the ``features`` of the last
    convolution only if it is above 1. Fewer ``depths`` leave out the last stages.

    Raises:
        SpecError: for a ``width`` that is not positive or more ``depths`` than 7.
    """
    if width <= 0:
        raise SpecError(f"`width` (={width}) must be positive")
    if len(depths) > len(STAGES):
        raise SpecError(f"`depths` (={depths}) must be at most {len(STAGES)} numbers, one a stage")
    channels = divisible(32 * width)
    nodes, number = conv_norm("stem", in_channels, channels, (3, 3), (2, 2), ReLU6()), 0
    for depth, (expansion, out, first) in zip(depths, STAGES, strict=False):
        out = divisible(out * width)
        for stride in (first, *[1] * (depth - 1)):
            sizes = channels, out, channels * expansion, (3, 3), (stride, stride)
            nodes += inverted(f"blocks.{number}.", nodes[-1].name, *sizes, "relu6")
            channels, number = out, number + 1
    last = divisible(features * max(1.0, width))
    return [
        *nodes,
        *conv_norm("last", channels, last, act=ReLU6()),
        *chain(
            "head",
            ("pool", GlobalAvgPool2d()),
            ("flatten", Flatten()),
            ("dropout", Dropout(dropout)),
            ("linear", Linear(last, classes, init=Init("normal", std=0.01, zero_bias=True))),
        ),
    ]


_LARGE = (1, 3, 224, 224)
ENTRIES = (
    Entry(
        mobilenet_v2,
        "Sandler et al., 2018: MobileNetV2, arXiv:1801.04381",
        cases=(Case("wide", mobilenet_v2(2, 5, 1.3, (1, 2), 12, dropout=0.3), (4, 2, 16, 24), also_in_float64=True),),
        timed={"quick": (sized("w100", mobilenet_v2(), _LARGE),)},
        # Computed from torchvision's mobilenet_v2, by FlopCounterMode / 2.
        published={sized("w100", mobilenet_v2(), _LARGE): Counts((1, 1000), 3_504_872, 34_112, 300_774_272)},
    ),
)
