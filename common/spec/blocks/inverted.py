"""The inverted residual of MobileNetV2, MobileNetV3 and EfficientNet."""

from typing import Any

from common.layers import (
    Add,
    Conv2d,
    GlobalAvgPool2d,
    Hardsigmoid,
    Hardswish,
    Layer,
    Multiply,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
)
from common.layers.values import Pair, SpecError
from common.spec import INPUT, Node, family
from common.spec.blocks.residual import HE, conv_norm
from common.spec.entry import Case, Entry, sized

ACTIVATIONS: dict[str, Layer] = {"relu": ReLU(), "relu6": ReLU6(), "hardswish": Hardswish(), "silu": SiLU()}
GATES: dict[str, Layer] = {"hardsigmoid": Hardsigmoid(), "sigmoid": Sigmoid()}


def divisible(channels: float) -> int:
    """The nearest multiple of 8 that is at least 8 and at least 0.9 ``channels``, as the authors' code rounds."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def squeeze_excite(prefix: str, source: str, channels: int, squeeze: int, act: str, gate: str) -> list[Node]:
    """``source`` times a gate in (0, 1) for each channel, computed from the means of all channels.

    Hu et al., 2017, https://arxiv.org/abs/1709.01507, with 1 x 1 convolutions for its linear layers.
    """
    layers: list[tuple[str, Layer]] = [
        ("pool", GlobalAvgPool2d()),
        ("reduce", Conv2d(channels, squeeze, (1, 1), init=HE)),
        ("act", ACTIVATIONS[act]),
        ("expand", Conv2d(squeeze, channels, (1, 1), init=HE)),
        ("gate", GATES[gate]),
    ]
    nodes = [Node(f"{prefix}.{name}", layer) for name, layer in layers]
    return [*nodes, Node(f"{prefix}.scale", Multiply(), (source, nodes[-1].name))]


def inverted(
    prefix: str,
    source: str,
    in_channels: int,
    out_channels: int,
    hidden: int,
    kernel_size: Pair,
    stride: Pair,
    act: str,
    squeeze: int = 0,
    squeeze_act: str = "relu",
    gate: str = "hardsigmoid",
    eps: float = 1e-5,
    momentum: float = 0.1,
) -> list[Node]:
    """The nodes of an `inverted_residual`, whose names start with ``prefix``, after the node ``source``."""
    norm: dict[str, Any] = {"eps": eps, "momentum": momentum}
    nodes: list[Node] = []
    if hidden != in_channels:
        nodes = conv_norm(f"{prefix}expand", in_channels, hidden, act=ACTIVATIONS[act], source=source, **norm)
    nodes += conv_norm(
        f"{prefix}depthwise", hidden, hidden, kernel_size, stride, ACTIVATIONS[act], groups=hidden, **norm
    )
    if squeeze:
        nodes += squeeze_excite(f"{prefix}squeeze", nodes[-1].name, hidden, squeeze, squeeze_act, gate)
    nodes += conv_norm(f"{prefix}project", hidden, out_channels, **norm)
    if stride == (1, 1) and in_channels == out_channels:
        nodes.append(Node(f"{prefix}add", Add(), (nodes[-1].name, source)))
    return nodes


def checked(kernel_size: Pair, squeeze: int) -> None:
    """Raises SpecError for even kernels, which have no centre to pad around, or a negative ``squeeze``."""
    if not all(size % 2 for size in kernel_size):
        raise SpecError(f"`kernel_size` (={kernel_size}) must be odd")
    if squeeze < 0:
        raise SpecError(f"`squeeze` (={squeeze}) must be a number of channels, or 0 for no squeeze-excite")


@family
def inverted_residual(
    in_channels: int,
    out_channels: int,
    hidden: int,
    kernel_size: Pair = (3, 3),
    stride: Pair = (1, 1),
    act: str = "relu6",
    squeeze: int = 0,
    squeeze_act: str = "relu",
    gate: str = "hardsigmoid",
    eps: float = 1e-5,
    momentum: float = 0.1,
) -> list[Node]:
    """1 x 1 to ``hidden`` channels, depthwise, maybe squeeze-excite, 1 x 1 to ``out_channels`` without activation.

    Sandler et al., 2018, https://arxiv.org/abs/1801.04381. The input is added where the shapes are equal, and where
    ``hidden`` is ``in_channels`` the first convolution is left out. MobileNetV3 (https://arxiv.org/abs/1905.02244) has
    ``act`` hardswish and ``squeeze`` channels in the gate, with ReLU and a hard sigmoid. EfficientNet's MBConv
    (https://arxiv.org/abs/1905.11946) has SiLU for both and a sigmoid.

    Raises:
        SpecError: for even kernels, an unknown activation or gate, or a negative ``squeeze``.
    """
    checked(kernel_size, squeeze)
    for name, word, known in (
        ("act", act, ACTIVATIONS),
        ("squeeze_act", squeeze_act, ACTIVATIONS),
        ("gate", gate, GATES),
    ):
        if word not in known:
            raise SpecError(f"`{name}` (={word!r}) must be one of {', '.join(known)}")
    sizes = in_channels, out_channels, hidden, kernel_size, stride
    return inverted("", INPUT, *sizes, act, squeeze, squeeze_act, gate, eps, momentum)


_V3 = inverted_residual(40, 40, 120, 5, act="hardswish", squeeze=32, eps=1e-3, momentum=0.01)
ENTRIES = (
    Entry(
        inverted_residual,
        "Sandler et al., 2018: MobileNetV2, arXiv:1801.04381",
        cases=(
            Case("relu6", inverted_residual(5, 5, 12), (2, 5, 9, 12)),
            Case("not_expanded", inverted_residual(6, 4, 6, 3), (2, 6, 7, 10)),
            Case(
                "mbconv",
                inverted_residual(4, 6, 10, (3, 5), act="silu", squeeze=3, squeeze_act="silu", gate="sigmoid"),
                (2, 4, 8, 11),
            ),
            Case(
                "v3",
                inverted_residual(4, 5, 9, (5, 3), (2, 1), "hardswish", 3, eps=1e-3, momentum=0.01),
                (4, 4, 11, 8),
            ),
        ),
        timed={
            "quick": (
                sized("c32", inverted_residual(32, 32, 192), (1, 32, 28, 28)),
                sized("v3_c40", _V3, (1, 40, 28, 28)),
            )
        },
    ),
)
