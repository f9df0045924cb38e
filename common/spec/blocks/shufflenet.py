"""ShuffleNetV2 and its unit."""

from common.layers import ChannelShuffle, ChannelSlice, Concat, Flatten, GlobalAvgPool2d, Linear, MaxPool2d, ReLU
from common.layers.values import Depths, Pair, SpecError
from common.spec import INPUT, Node, chain, family
from common.spec.blocks.residual import conv_norm
from common.spec.entry import Case, Counts, Entry, sized


def unit(prefix: str, source: str, in_channels: int, out_channels: int, stride: Pair) -> list[Node]:
    """The nodes of a `shuffle_unit`, whose names start with ``prefix``, after the node ``source``."""
    half, nodes = out_channels // 2, []
    if stride == (1, 1):
        left = Node(f"{prefix}kept", ChannelSlice(0, half), (source,))
        right = Node(f"{prefix}taken", ChannelSlice(half, out_channels), (source,))
        nodes, left, source, inner = [left, right], left.name, right.name, half
    else:
        nodes = [
            *conv_norm(f"{prefix}left.depthwise", in_channels, in_channels, (3, 3), stride, None, source, in_channels),
            *conv_norm(f"{prefix}left.pointwise", in_channels, half, act=ReLU()),
        ]
        left, inner = nodes[-1].name, in_channels
    nodes += [
        *conv_norm(f"{prefix}right.reduce", inner, half, act=ReLU(), source=source),
        *conv_norm(f"{prefix}right.depthwise", half, half, (3, 3), stride, groups=half),
        *conv_norm(f"{prefix}right.expand", half, half, act=ReLU()),
    ]
    concat = Node(f"{prefix}concat", Concat(), (left, nodes[-1].name))
    return [*nodes, concat, Node(f"{prefix}shuffle", ChannelShuffle(2))]


@family
def shuffle_unit(in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> list[Node]:
    """Half of the channels pass; 1 x 1, depthwise 3 x 3 and 1 x 1 convolutions change the rest; then both are shuffled.

    Ma et al., 2018, https://arxiv.org/abs/1807.11164. With a stride, both halves of the output are computed from all
    channels: the first by a depthwise and a 1 x 1 convolution.

    Raises:
        SpecError: if ``out_channels`` is odd, or not ``in_channels`` at stride 1.
    """
    if out_channels % 2:
        raise SpecError(f"`out_channels` (={out_channels}) must be even")
    if stride == (1, 1) and in_channels != out_channels:
        raise SpecError(f"`out_channels` (={out_channels}) must be `in_channels` (={in_channels}) at stride 1")
    return unit("", INPUT, in_channels, out_channels, stride)


@family
def shufflenet_v2(
    in_channels: int = 3, classes: int = 1000, width: int = 116, depths: Depths = (4, 8, 4), features: int = 1024
) -> list[Node]:
    """ShuffleNetV2 (Ma et al., 2018, https://arxiv.org/abs/1807.11164): 1.0 with the defaults, and logits as output.

    The first stage has ``width`` channels (48: ShuffleNetV2 0.5), and each stage twice those of the one before.

    Raises:
        SpecError: if ``width`` is odd.
    """
    if width % 2:
        raise SpecError(f"`width` (={width}) must be even")
    nodes = [
        *conv_norm("stem", in_channels, 24, (3, 3), (2, 2), ReLU()),
        Node("pool", MaxPool2d((3, 3), (2, 2), (1, 1))),
    ]
    channels, number = 24, 0
    for stage, depth in enumerate(depths):
        for i in range(depth):
            stride = (1, 1) if i else (2, 2)
            nodes += unit(f"blocks.{number}.", nodes[-1].name, channels, width * 2**stage, stride)
            channels, number = width * 2**stage, number + 1
    return [
        *nodes,
        *conv_norm("last", channels, features, act=ReLU()),
        *chain("head", ("pool", GlobalAvgPool2d()), ("flatten", Flatten()), ("linear", Linear(features, classes))),
    ]


_SOURCE = "Ma et al., 2018: ShuffleNet V2, arXiv:1807.11164"
_LARGE = (1, 3, 224, 224)
ENTRIES = (
    Entry(
        shuffle_unit,
        _SOURCE,
        cases=(
            Case("s1", shuffle_unit(6, 6), (2, 6, 9, 12), seed=1),
            Case("s2", shuffle_unit(4, 10, 2), (2, 4, 13, 10)),
            Case("unequal", shuffle_unit(5, 8, (2, 1)), (4, 5, 11, 8), seed=1),
        ),
        timed={"quick": (sized("c116", shuffle_unit(116, 116), (1, 116, 28, 28)),)},
    ),
    Entry(
        shufflenet_v2,
        _SOURCE,
        cases=(Case("narrow", shufflenet_v2(2, 5, 6, (2, 1), 8), (4, 2, 32, 48), also_in_float64=True),),
        timed={"full": (sized("w116", shufflenet_v2(), _LARGE),)},
        # Computed from torchvision's shufflenet_v2_x0_5 and shufflenet_v2_x1_0, by FlopCounterMode / 2.
        published={
            sized("w48", shufflenet_v2(width=48), _LARGE): Counts((1, 1000), 1_366_792, 7952, 40_476_448),
            sized("w116", shufflenet_v2(), _LARGE): Counts((1, 1000), 2_278_604, 16_180, 144_907_992),
        },
    ),
)
