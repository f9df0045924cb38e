"""The layer vocabulary: what a block may be made of, one file a family of kinds, one class a kind.

A class has all that is known of its kind: fields, arrays, shapes, forward and backward pass, rounding, cost, formula:
see `common.layers.base.Layer`. Whatever reads it (the reference, the tolerances, the costs, a backend) finds complete
tuples and needs no checks of its own. An int is accepted for a pair, and for a padding an int, a pair, or the name of
a rule; the annotations say what is stored.

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
