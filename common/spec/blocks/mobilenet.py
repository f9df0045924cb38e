"""MobileNetV1."""

import math

from common.layers import AvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, ReLU, Softmax
from common.layers.values import Init, Pair, SpecError
from common.spec import InitOnly, Node, chain, family
from common.spec.entry import Case, Counts, Entry, sized

ONE = ((1, 1), (1, 1))  # a pixel of padding on every side
# Output channels at alpha 1 and stride of the 13 separable blocks (Howard et al., 2017, table 1).
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


@family
def mobilenet_v1(
    in_channels: int = 3,
    classes: int = 1000,
    alpha: float = 1.0,
    bias: bool = True,
    dropout: float = 0.5,
    pool_size: Pair = (7, 7),
    softmax: bool = True,
    group_aware_init: InitOnly = False,
) -> list[Node]:
    """MobileNetV1 (Howard et al., 2017, https://arxiv.org/abs/1704.04861). It pools a map of 1/32 of the input's size.

    ``alpha`` scales the channels, ``int(c * alpha)``. The paper's convolutions have no bias; ``bias=True`` is as in
    the published PyTorch code, whose counts are 4,242,920 and 829,194. Without ``softmax`` the output is logits.
    Convolutions start from Kaiming normal, fan out, for ReLU; ``group_aware_init`` divides the fan by the groups
    (https://github.com/huggingface/pytorch-image-models/issues/84).

    Raises:
        SpecError: if ``alpha`` leaves a layer without channels.
    """
    stem, widths = int(32 * alpha), [int(channels * alpha) for channels, _ in BLOCKS]
    if stem < 1:
        raise SpecError(f"`alpha` (={alpha}) must leave the stem at least one of its 32 channels")
    init = Init("normal", math.sqrt(2), "out_grouped" if group_aware_init else "out", zero_bias=True)
    nodes = [
        *chain(
            "stem",
            ("conv", Conv2d(in_channels, stem, (3, 3), (2, 2), ONE, bias=bias, init=init)),
            ("norm", BatchNorm2d(stem)),
            ("act", ReLU()),
        )
    ]
    channels = stem
    for i, (width, (_, stride)) in enumerate(zip(widths, BLOCKS, strict=True)):
        nodes += chain(
            f"blocks.{i}.depthwise",
            ("conv", Conv2d(channels, channels, (3, 3), (stride, stride), ONE, groups=channels, bias=bias, init=init)),
            ("norm", BatchNorm2d(channels)),
            ("act", ReLU()),
        )
        nodes += chain(
            f"blocks.{i}.pointwise",
            ("conv", Conv2d(channels, width, (1, 1), bias=bias, init=init)),
            ("norm", BatchNorm2d(width)),
            ("act", ReLU()),
        )
        channels = width
    return [
        *nodes,
        Node("pool", AvgPool2d(pool_size)),
        Node("flatten", Flatten()),
        Node("dropout", Dropout(dropout)),
        Node("linear", Linear(channels, classes, init=Init("normal", std=0.01, zero_bias=True))),
        *([Node("softmax", Softmax())] if softmax else []),
    ]


_LARGE = (1, 3, 224, 224)
ENTRIES = (
    Entry(
        mobilenet_v1,
        "Howard et al., 2017: MobileNets, arXiv:1704.04861",
        cases=(
            Case("a050", mobilenet_v1(classes=10, alpha=0.5), _LARGE),
            Case("a025", mobilenet_v1(classes=10, alpha=0.25, pool_size=2), (2, 3, 64, 96)),
            Case("a075_no_bias", mobilenet_v1(3, 12, 0.75, bias=False, pool_size=(3, 2)), (2, 3, 96, 64)),
            Case("a100", mobilenet_v1(pool_size=3), (1, 3, 65, 91)),
            Case("c1", mobilenet_v1(1, 7, 0.125, dropout=0.3, pool_size=(2, 1)), (5, 1, 64, 32), also_in_float64=True),
            Case("logits", mobilenet_v1(2, 9, 0.3, dropout=0.2, softmax=False, pool_size=(3, 2)), (2, 2, 96, 64)),
        ),
        timed={
            "quick": (sized("a050", mobilenet_v1(classes=10, alpha=0.5), _LARGE),),
            "full": (sized("a100", mobilenet_v1(), _LARGE),),
        },
        published={
            sized("a050", mobilenet_v1(classes=10, alpha=0.5), _LARGE): Counts((1, 10), 829_194, 10_944, 148_990_208),
            sized("a100", mobilenet_v1(), _LARGE): Counts((1, 1000), 4_242_920, 21_888, 568_740_352),
            sized("a100_no_bias", mobilenet_v1(bias=False), _LARGE): Counts((1, 1000), 4_231_976, 21_888, 568_740_352),
        },
    ),
)
