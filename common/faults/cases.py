"""The small blocks that mistakes are put into."""

from common.layers import (
    GELU,
    Add,
    AvgPool2d,
    BatchNorm2d,
    ChannelShuffle,
    ChannelSlice,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    LayerNorm2d,
    LayerScale,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Multiply,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
)
from common.spec import BlockSpec, Node
from common.spec.catalogue import Case

SEPARABLE = Case(
    "separable",
    BlockSpec(
        "selftest",
        {},
        4,
        (
            Node("depthwise.conv", Conv2d(4, 4, (3, 3), (2, 2), ((0, 1), (1, 0)), groups=4)),
            Node("depthwise.norm", BatchNorm2d(4)),
            Node("depthwise.act", LeakyReLU(0.2)),
            Node("pointwise.conv", Conv2d(4, 6, (1, 1), bias=False)),
            Node("pointwise.norm", BatchNorm2d(6, eps=1e-2)),
            Node("pointwise.act", LeakyReLU(0.2)),
        ),
    ),
    (2, 4, 9, 10),
)
CONVOLUTIONS = Case(
    "convolutions",
    BlockSpec(
        "selftest",
        {},
        4,
        (
            Node("down", Conv2d(4, 8, (3, 3), (2, 2), ((1, 1), (1, 1)))),
            Node("grouped", Conv2d(8, 6, (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2), groups=2)),
            Node("multiplied", Conv2d(6, 12, (3, 5), (2, 1), ((1, 1), (2, 2)), groups=6)),
            Node("mixed", Conv2d(12, 12, (1, 1))),
            Node("pool", AvgPool2d((2, 2))),
        ),
    ),
    (2, 4, 12, 15),
)
HEAD = Case(
    "head",
    BlockSpec(
        "selftest",
        {},
        3,
        (
            Node("conv", Conv2d(3, 5, (3, 3))),
            Node("act", ReLU()),
            Node("pool", AvgPool2d((2, 3), padding=(1, 1))),
            Node("dropout", Dropout(0.4)),
            Node("flatten", Flatten()),
            Node("hidden", Linear(30, 30)),
            Node("classes", Linear(30, 4)),
            Node("softmax", Softmax()),
        ),
    ),
    (3, 3, 6, 7),
)
JOINED = Case(
    "joined",
    BlockSpec(
        "selftest",
        {},
        3,
        (
            Node("primary.conv", Conv2d(3, 4, (1, 1), bias=False)),
            Node("primary.norm", BatchNorm2d(4)),
            Node("primary.act", ReLU()),
            Node("cheap.conv", Conv2d(4, 4, (3, 3), padding=((1, 1), (1, 1)), groups=4, bias=False)),
            Node("cheap.norm", BatchNorm2d(4)),
            Node("cheap.act", ReLU()),
            Node("both", Concat(), ("primary.act", "cheap.act")),
            Node("part", ChannelSlice(0, 6)),
            Node("shortcut", Conv2d(3, 6, (1, 1)), ("input",)),
            Node("sum", Add(), ("part", "shortcut")),
            Node("act", LeakyReLU(0.1)),
        ),
    ),
    (2, 3, 6, 7),
)
GATED = Case(
    "gated",
    BlockSpec(
        "selftest",
        {},
        4,
        (
            Node("stem", Conv2d(4, 8, (3, 3))),
            Node("second", Conv2d(8, 8, (1, 1))),
            Node("third", Conv2d(8, 8, (1, 1))),  # without norms between them, so that some values are above 6
            Node("six", ReLU6()),
            Node("group", GroupNorm(8, num_groups=2)),
            Node("swish", Hardswish()),
            Node("pool", MaxPool2d((3, 3), (2, 2), (1, 1))),
            Node("squeeze", GlobalAvgPool2d()),
            Node("reduce", Conv2d(8, 6, (1, 1))),
            Node("silu", SiLU()),
            Node("expand", Conv2d(6, 8, (1, 1))),
            Node("gate", Hardsigmoid()),
            Node("gated", Multiply(), ("pool", "gate")),
            Node("shuffle", ChannelShuffle(2)),
            Node("layer", LayerNorm2d(8, eps=1e-3)),
            Node("gelu", GELU()),
            Node("mixed", Conv2d(8, 8, (1, 1))),
            Node("scale", LayerScale(8)),
            Node("soft", Sigmoid()),
        ),
    ),
    (2, 4, 9, 12),
)
CASES = (SEPARABLE, CONVOLUTIONS, HEAD, JOINED, GATED)
