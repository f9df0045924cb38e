"""EfficientNet."""

from common.layers import Dropout, Flatten, GlobalAvgPool2d, Linear, SiLU
from common.layers.values import Depths, SpecError
from common.spec import Node, chain, family
from common.spec.blocks.inverted import divisible, inverted
from common.spec.blocks.residual import conv_norm
from common.spec.entry import Case, Counts, Entry, sized

# Expansion, kernel, output channels and stride of each stage (table 1 of the paper).
STAGES = ((1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 2), (6, 5, 112, 1), (6, 5, 192, 2), (6, 3, 320, 1))


@family
def efficientnet(
    in_channels: int = 3,
    classes: int = 1000,
    width: float = 1.0,
    depths: Depths = (1, 2, 2, 3, 3, 4, 1),
    dropout: float = 0.2,
) -> list[Node]:
    """EfficientNet (Tan and Le, 2019, https://arxiv.org/abs/1905.11946): B0 with the defaults, and logits as output.

    ``width`` scales the channels, which are rounded to multiples of 8. Fewer ``depths`` leave out the last stages. A
    block squeezes to a quarter of its input's channels, unrounded. Stochastic depth, which torchvision's has on in
    training, is left out.

    Raises:
        SpecError: for a ``width`` that is not positive or more ``depths`` than 7.
    """
    if width <= 0:
        raise SpecError(f"`width` (={width}) must be positive")
    if len(depths) > len(STAGES):
        raise SpecError(f"`depths` (={depths}) must be at most {len(STAGES)} numbers, one a stage")
    channels = divisible(32 * width)
    nodes, number = conv_norm("stem", in_channels, channels, (3, 3), (2, 2), SiLU()), 0
    for depth, (expansion, kernel, out, first) in zip(depths, STAGES, strict=False):
        out = divisible(out * width)
        for stride in (first, *[1] * (depth - 1)):
            sizes = channels, out, divisible(channels * expansion), (kernel, kernel), (stride, stride)
            squeeze = "silu", channels // 4, "silu", "sigmoid"
            nodes += inverted(f"blocks.{number}.", nodes[-1].name, *sizes, *squeeze)
            channels, number = out, number + 1
    return [
        *nodes,
        *conv_norm("last", channels, 4 * channels, act=SiLU()),
        *chain(
            "head",
            ("pool", GlobalAvgPool2d()),
            ("flatten", Flatten()),
            ("dropout", Dropout(dropout)),
            ("linear", Linear(4 * channels, classes)),
        ),
    ]


_LARGE = (1, 3, 224, 224)
ENTRIES = (
    Entry(
        efficientnet,
        "Tan and Le, 2019: EfficientNet, arXiv:1905.11946",
        cases=(Case("narrow", efficientnet(2, 5, 0.3, (1, 1, 2), dropout=0.3), (4, 2, 24, 32), also_in_float64=True),),
        timed={"full": (sized("b0", efficientnet(), _LARGE),)},
        # Computed from torchvision's efficientnet_b0, by FlopCounterMode / 2.
        published={sized("b0", efficientnet(), _LARGE): Counts((1, 1000), 5_288_548, 42_016, 385_814_752)},
    ),
)
