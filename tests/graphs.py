"""Graphs that tests share."""

from common.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    ChannelSlice,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    LeakyReLU,
    Linear,
    ReLU,
    Softmax,
)
from common.spec import BlockSpec, Node

# A graph with every layer of the vocabulary, values read twice, and asymmetric padding.
EVERYTHING = BlockSpec(
    "everything",
    {},
    4,
    (
        Node("conv", Conv2d(4, 6, (3, 2), (2, 1), ((1, 0), (0, 1)), (1, 2), groups=2)),
        Node("norm", BatchNorm2d(6, eps=1e-2)),
        Node("act", LeakyReLU(0.2)),
        Node("depthwise", Conv2d(6, 12, (3, 3), padding=((1, 1), (1, 1)), groups=6, bias=False)),
        Node("plain", BatchNorm2d(12, affine=False)),
        Node("relu", ReLU()),
        Node("pointwise", Conv2d(12, 6, (1, 1))),
        Node("sum", Add(), ("pointwise", "act")),
        Node("both", Concat(), ("sum", "relu")),
        Node("part", ChannelSlice(3, 11)),
        Node("pool", AvgPool2d((2, 2), (1, 2), (1, 0), count_include_pad=False)),
        Node("pool2", AvgPool2d((3, 2), (1, 1), (1, 1))),
        Node("chance", Dropout(0.0)),
        Node("average", GlobalAvgPool2d()),
        Node("flat", Flatten()),
        Node("linear", Linear(8, 5)),
        Node("softmax", Softmax()),
    ),
)
