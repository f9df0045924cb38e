"""The values that layers are made of: sizes, paddings, array specs and initial distributions, checked and complete."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from common.names import shown

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]
Shape = tuple[int, ...]
Depths = tuple[int, ...]  # how many blocks each stage of a network has
Role = Literal[
    "conv_weight",
    "conv_bias",
    "norm_weight",
    "norm_bias",
    "running_mean",
    "running_var",
    "linear_weight",
    "linear_bias",
]
LARGEST = 2**31 - 1  # of an integer in a spec: what frameworks count with
PADDING_RULES = ("valid", "same", "kernel_minus_stride")


class SpecError(ValueError):
    """A spec that is not valid: the message names the thing, its value and the rule, in one line."""


@dataclass(frozen=True)
class ParamSpec:
    """One array of a layer or block: its canonical name, shape and role; buffers are not ``trainable``."""

    name: str
    shape: Shape
    role: Role

    @property
    def trainable(self) -> bool:
        return self.role not in ("running_mean", "running_var")

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Init:
    """How a weight is drawn: ``distribution`` with standard deviation ``gain / sqrt(fan)``, or ``std`` itself.

    ``fan`` is ``in`` (C_in / groups * kh * kw), ``out`` (C_out * kh * kw, which ignores groups, as torch does) or
    ``out_grouped`` (C_out / groups * kh * kw; https://github.com/huggingface/pytorch-image-models/issues/84).
    A bias is zero, or uniform in +-1/sqrt(fan in).
    """

    distribution: Literal["uniform", "normal"]
    gain: float = 1.0
    fan: Literal["in", "out", "out_grouped"] = "in"
    std: float | None = None
    zero_bias: bool = False


# What torch.nn.Conv2d and torch.nn.Linear do: Kaiming uniform with a = sqrt(5), so +-1/sqrt(fan in).
UNIFORM_FAN_IN = Init("uniform", gain=1 / math.sqrt(3))


def fan(shape: tuple[int, ...], kind: str = "in", groups: int = 1) -> int:
    """How many terms of a weight enter one output (``in``) or leave one input (``out``, ``out_grouped``)."""
    receptive = math.prod(shape[2:])
    if kind == "in":
        return shape[1] * receptive
    return shape[0] * receptive // (groups if kind == "out_grouped" else 1)


def initial_weights(
    rng: np.random.Generator, params: Sequence[ParamSpec], init: Init, groups: int = 1
) -> dict[str, np.ndarray]:
    """Draws a weight, and a bias if there is one, as ``init`` says. The weight is the first of ``params``."""
    weight, *biases = params
    std = init.gain / math.sqrt(fan(weight.shape, init.fan, groups)) if init.std is None else init.std
    bound = 0.0 if init.zero_bias else 1 / math.sqrt(fan(weight.shape))
    if init.distribution == "normal":
        arrays = {weight.name: rng.normal(0, std, weight.shape)}
    else:
        arrays = {weight.name: rng.uniform(-math.sqrt(3) * std, math.sqrt(3) * std, weight.shape)}
    return arrays | {bias.name: rng.uniform(-bound, bound, bias.shape) for bias in biases}


def positive(name: str, value: object, most: int = LARGEST) -> int:
    """``value`` if it is an int from 1 to ``most``.

    Raises:
        SpecError: if it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SpecError(f"`{name}` (={shown(value)}) must be a positive integer")
    if value > most:
        raise SpecError(f"`{name}` (={shown(value)}) must be at most {most}")
    return value


def pair(name: str, value: object, least: int = 1) -> Pair:
    """``(height, width)`` from an int or two ints, each >= ``least``.

    Raises:
        SpecError: for anything else.
    """
    values = (value, value) if isinstance(value, int) else value
    if (
        not isinstance(values, list | tuple)
        or len(values) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) and least <= v <= LARGEST for v in values)
    ):
        raise SpecError(
            f"`{name}` (={shown(value)}) must be an integer >= {least} or two of them (height, width), "
            f"each at most {LARGEST}"
        )
    return (values[0], values[1])


def depths(name: str, value: object, most: int = 100) -> tuple[int, ...]:
    """How many blocks each stage of a network has: at least one stage, and 1 to ``most`` blocks in each.

    Raises:
        SpecError: for anything else.
    """
    if not isinstance(value, list | tuple) or not value:
        raise SpecError(f"`{name}` (={shown(value)}) must be a list of the number of blocks in each stage")
    return tuple(positive(name, number, most) for number in value)


def resolve_padding(padding: object, kernel_size: Pair, stride: Pair, dilation: Pair) -> Padding:
    """``((top, bottom), (left, right))`` from an int, (height, width), two pairs, or the name of a rule.

    ``valid`` pads nothing. ``same`` keeps the size and is defined for stride 1 only; an odd total puts the extra row
    or column at the bottom or right, as torch, Paddle and XLA do. ``kernel_minus_stride`` pads
    ``(kernel - stride + 1) // 2`` on every side, a rule of published Paddle code. At stride 1 it keeps the size for odd
    kernels only; an even kernel adds a row and a column.

    Raises:
        SpecError: for an unknown rule, a negative number, or ``same`` with a stride.
    """
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0), (0, 0))
        if padding == "same":
            if stride != (1, 1):
                raise SpecError(f"`padding` (='same') needs stride 1, not {stride}: give the sides as ((t, b), (l, r))")
            totals = [d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True)]
            top, left = (total // 2 for total in totals)
            return ((top, totals[0] - top), (left, totals[1] - left))
        if padding == "kernel_minus_stride":
            sides = [max(0, (k - s + 1) // 2) for k, s in zip(kernel_size, stride, strict=True)]
            return ((sides[0], sides[0]), (sides[1], sides[1]))
        raise SpecError(f"`padding` (={shown(padding)}) is not a known rule; choose from {', '.join(PADDING_RULES)}")
    if isinstance(padding, list | tuple) and len(padding) == 2 and all(isinstance(p, list | tuple) for p in padding):
        first, second = padding
        return (pair("padding", first, 0), pair("padding", second, 0))
    height, width = pair("padding", padding, 0)
    return ((height, height), (width, width))


def storable(arrays: dict[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """The float32 arrays, rounded to the nearest numbers of ``dtype`` (ties to even) if that is bfloat16."""
    return {name: bfloat16(array) for name, array in arrays.items()} if dtype == "bfloat16" else arrays


def bfloat16(array: np.ndarray) -> np.ndarray:
    """Float32 numbers rounded to the nearest bfloat16 number; NumPy has no bfloat16."""
    bits = array.astype(np.float32).view(np.uint32)
    return ((bits + (0x7FFF + (bits >> 16 & 1))) & np.uint32(0xFFFF0000)).view(np.float32)
