"""The layer vocabulary: what a block may be made of. A file is a family of kinds, a class is a kind.

A class has all rules of its kind: fields, arrays, shapes, forward and backward pass, rounding, cost, formula (see
`common.layers.base.Layer`). It stores complete tuples, so its readers (the reference, the tolerances, the costs, a
backend) need no checks. A pair may be written as an int; a padding as an int, a pair, or the name of a rule. The
annotations say what is stored.

Conventions: activations are NCHW; kernels are OIHW ``[out, in / groups, height, width]``; linear weights are
``[out, in]``. A padding is ``((top, bottom), (left, right))`` zeros. Names follow PyTorch's.
"""

from common.layers.activation import GELU, Hardsigmoid, Hardswish, LeakyReLU, ReLU, ReLU6, Sigmoid, SiLU, Softmax
from common.layers.base import Layer
from common.layers.convolution import Conv2d
from common.layers.linear import Linear
from common.layers.normalisation import BatchNorm2d
from common.layers.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d
from common.layers.sample_normalisation import GroupNorm, LayerNorm2d
from common.layers.structure import Add, ChannelShuffle, ChannelSlice, Concat, Dropout, Flatten, Multiply

KINDS: tuple[type[Layer], ...] = (
    Conv2d,
    BatchNorm2d,
    GroupNorm,
    LayerNorm2d,
    ReLU,
    ReLU6,
    LeakyReLU,
    Hardsigmoid,
    Hardswish,
    Sigmoid,
    SiLU,
    GELU,
    AvgPool2d,
    MaxPool2d,
    GlobalAvgPool2d,
    Flatten,
    Dropout,
    Linear,
    Softmax,
    Concat,
    ChannelSlice,
    ChannelShuffle,
    Add,
    Multiply,
)

__all__ = [
    "GELU",
    "KINDS",
    "Add",
    "AvgPool2d",
    "BatchNorm2d",
    "ChannelShuffle",
    "ChannelSlice",
    "Concat",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Layer",
    "LayerNorm2d",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Multiply",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
]
