"""An input of a comparison: a shape, for which numbers are drawn, or an array of the caller."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.layers.values import Shape
from common.spec import inputs


class Given(tuple[int, ...]):
    """The shape of an array, and the array: float64, or int64 if its numbers are integers (ids of tokens)."""

    values: np.ndarray

    def __new__(cls, values: np.ndarray) -> "Given":
        made = super().__new__(cls, values.shape)
        made.values = values.astype(np.int64 if values.dtype.kind in "iu" else np.float64)
        return made

    def __reduce__(self) -> tuple[type["Given"], tuple[np.ndarray]]:
        return Given, (self.values,)


def values_of(shape: Shape) -> np.ndarray:
    """The array that is given, or one drawn at random in float64."""
    return shape.values if isinstance(shape, Given) else inputs.make("random", shape).astype(np.float64)


def empty(shape: Shape) -> np.ndarray:
    """Zeros of the type that the input has."""
    return np.zeros(shape, values_of(shape).dtype if isinstance(shape, Given) else np.float64)


def real(x: Any) -> bool:
    """Whether it has a gradient and may be inexact: its numbers are no integers."""
    return x.dtype.kind == "f"


def mixed(xs: Sequence[Any], floats: Sequence[Any]) -> list[Any]:
    """The inputs, with other arrays for those that are `real`."""
    others = iter(floats)
    return [next(others) if real(x) else x for x in xs]
