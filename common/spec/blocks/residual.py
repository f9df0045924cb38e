"""The residual blocks of ResNet."""

import math

from common.layers import Add, BatchNorm2d, Conv2d, Layer, ReLU
from common.layers.values import Init, Pair, SpecError
from common.spec import INPUT, Node, family
from common.spec.entry import Case, Entry, sized

HE = Init("normal", math.sqrt(2), "out", zero_bias=True)  # Kaiming normal, fan out, for ReLU


def conv_norm(
    prefix: str,
    in_channels: int,
    out_channels: int,
    kernel_size: Pair = (1, 1),
    stride: Pair = (1, 1),
    act: Layer | None = None,
    source: str = "",
    groups: int = 1,
    eps: float = 1e-5,
    momentum: float = 0.1,
) -> list[Node]:
    """A convolution without bias that keeps the size (apart from its stride), a norm, and ``act`` if there is one.

    It reads ``source``, or the node before it.
    """
    height, width = kernel_size[0] // 2, kernel_size[1] // 2
    padding = (height, height), (width, width)
    conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False, init=HE)
    return [
        Node(f"{prefix}.conv", conv, (source,) if source else ()),
        Node(f"{prefix}.norm", BatchNorm2d(out_channels, eps, momentum)),
        *([Node(f"{prefix}.act", act)] if act else []),
    ]


def basic(prefix: str, source: str, in_channels: int, out_channels: int, stride: Pair) -> list[Node]:
    """The nodes of a `residual_basic`, whose names start with ``prefix``, after the node ``source``."""
    nodes = [
        *conv_norm(f"{prefix}first", in_channels, out_channels, (3, 3), stride, ReLU(), source),
        *conv_norm(f"{prefix}second", out_channels, out_channels, (3, 3)),
    ]
    return nodes + _joined(prefix, source, nodes[-1].name, in_channels, out_channels, stride)


def bottleneck(prefix: str, source: str, in_channels: int, out_channels: int, stride: Pair) -> list[Node]:
    """The nodes of a `residual_bottleneck`, whose names start with ``prefix``, after the node ``source``."""
    inner = out_channels // 4
    nodes = [
        *conv_norm(f"{prefix}reduce", in_channels, inner, act=ReLU(), source=source),
        *conv_norm(f"{prefix}spatial", inner, inner, (3, 3), stride, ReLU()),
        *conv_norm(f"{prefix}expand", inner, out_channels),
    ]
    return nodes + _joined(prefix, source, nodes[-1].name, in_channels, out_channels, stride)


def _joined(prefix: str, source: str, end: str, in_channels: int, out_channels: int, stride: Pair) -> list[Node]:
    """The shortcut, which has a convolution only where the shapes differ, and the sum."""
    nodes = []
    if stride != (1, 1) or in_channels != out_channels:
        nodes = conv_norm(f"{prefix}shortcut", in_channels, out_channels, stride=stride, source=source)
        source = nodes[-1].name
    return [*nodes, Node(f"{prefix}add", Add(), (end, source)), Node(f"{prefix}act", ReLU())]


@family
def residual_basic(in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> list[Node]:
    """Two 3 x 3 convolutions with norms beside a shortcut, which is summed before the last ReLU.

    He et al., 2015, https://arxiv.org/abs/1512.03385, with the projection where the shapes differ (their option B).
    """
    return basic("", INPUT, in_channels, out_channels, stride)


@family
def residual_bottleneck(in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> list[Node]:
    """1 x 1 to a quarter of ``out_channels``, 3 x 3, 1 x 1 to ``out_channels``, beside a shortcut.

    He et al., 2015, https://arxiv.org/abs/1512.03385. The stride is that of the 3 x 3 convolution, as in torchvision
    and Paddle; the paper's is that of the first one, which has the same arrays and another output.

    Raises:
        SpecError: if ``out_channels`` is not a multiple of 4.
    """
    if out_channels % 4:
        raise SpecError(f"`out_channels` (={out_channels}) must be a multiple of 4, which is the expansion")
    return bottleneck("", INPUT, in_channels, out_channels, stride)


SOURCE = "He et al., 2015: Deep Residual Learning, arXiv:1512.03385"
ENTRIES = (
    Entry(
        residual_basic,
        SOURCE,
        cases=(
            Case("identity", residual_basic(6, 6), (2, 6, 9, 12), seed=1),
            Case("wider", residual_basic(4, 7), (2, 4, 7, 10)),
            Case("unequal", residual_basic(5, 8, (2, 1)), (4, 5, 11, 8)),
        ),
        timed={"quick": (sized("c64", residual_basic(64, 64), (1, 64, 56, 56)),)},
    ),
    Entry(
        residual_bottleneck,
        SOURCE,
        cases=(
            Case("identity", residual_bottleneck(8, 8), (2, 8, 9, 12)),
            Case("wider", residual_bottleneck(6, 12), (2, 6, 7, 10)),
            Case("unequal", residual_bottleneck(5, 8, (2, 1)), (4, 5, 11, 8), seed=1),
        ),
        timed={"quick": (sized("c256", residual_bottleneck(256, 256), (1, 256, 56, 56)),)},
    ),
)
