"""Pools: means and maxima over windows, and the mean over the whole map."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.layers.base import Arrays, Gradients, Inputs, Mixing, four, sizes
from common.layers.rounding import last, repeated, summed
from common.layers.values import Padding, Pair, Shape, SpecError, pair
from common.layers.windows import taps, untaps, window_counts

__all__ = ["AvgPool2d", "GlobalAvgPool2d", "MaxPool2d"]


@dataclass(frozen=True)
class _Pool(Mixing):
    """One number from each window; ``padding`` is (height, width), the same on both sides.

    Raises:
        SpecError: if a size is not positive or the padding exceeds half the window.
    """

    kernel_size: Pair
    stride: Pair = (0, 0)  # (0, 0): the kernel's size
    padding: Pair = (0, 0)

    def __post_init__(self) -> None:
        kernel = pair("kernel_size", self.kernel_size)
        pads = pair("padding", self.padding, 0)
        if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
            raise SpecError(f"`padding` (={self.padding!r}) must be at most half of `kernel_size` (={kernel})")
        object.__setattr__(self, "kernel_size", kernel)
        object.__setattr__(self, "stride", kernel if self.stride == (0, 0) else pair("stride", self.stride))
        object.__setattr__(self, "padding", pads)

    @property
    def sides(self) -> Padding:
        """The padding as ``((top, bottom), (left, right))``."""
        return ((self.padding[0], self.padding[0]), (self.padding[1], self.padding[1]))

    def channels(self, *channels: int | None) -> int | None:
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        n, c, *size = four(shapes[0])
        return (n, c, *window_counts(size, self.kernel_size, self.stride, self.sides))

    def settings(self) -> list[str]:
        return [sizes(self.kernel_size)]

    def _taps(self, x: np.ndarray, fill: float = 0.0) -> np.ndarray:
        return taps(x, self.kernel_size, self.stride, self.sides, fill=fill)

    def _untaps(self, values: np.ndarray, shape: Shape) -> np.ndarray:
        return untaps(values, shape, self.stride, self.sides)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        return [last(gradients[0][0]) * np.sqrt(math.prod(self.kernel_size))], {}  # windows overlap


@dataclass(frozen=True)
class AvgPool2d(_Pool):
    """Mean over windows; ``padding`` is (height, width), the same on both sides.

    ``count_include_pad`` says whether the padding's zeros count in the mean: torch and Flax count them by default,
    Paddle does not (its ``exclusive=True``).

    Raises:
        SpecError: if a size is not positive or the padding exceeds half the window.
    """

    count_include_pad: bool = True
    formula: ClassVar[str] = "y = mean of each window"

    def _counts(self, x: np.ndarray) -> np.ndarray | float:
        if self.count_include_pad:
            return float(math.prod(self.kernel_size))
        return self._taps(np.ones_like(x)).sum((-2, -1))

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return self._taps(inputs[0]).sum((-2, -1)) / self._counts(inputs[0])

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        dy = dy / self._counts(inputs[0])
        return [self._untaps(np.broadcast_to(dy[..., None, None], (*dy.shape, *self.kernel_size)), inputs[0].shape)], {}

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        terms = math.prod(self.kernel_size)
        squares = self.forward(arrays, inputs[0] ** 2) * terms
        return summed(y * terms, squares, terms) / terms + last(y)


@dataclass(frozen=True)
class MaxPool2d(_Pool):
    """The largest value of each window; ``padding`` is (height, width), the same on both sides, and counts as -inf.

    Raises:
        SpecError: if a size is not positive or the padding exceeds half the window.
    """

    kinks: ClassVar[tuple[float, ...]] = (0.0,)  # in the difference between the two largest values of a window
    formula: ClassVar[str] = "y = the largest value of each window"

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return self._taps(inputs[0], -np.inf).max((-2, -1))

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        windows = self._taps(inputs[0], -np.inf)
        flat = windows.reshape(*dy.shape, -1)
        chosen = flat.argmax(-1)[..., None] == np.arange(flat.shape[-1])  # the first of equal values
        return [self._untaps((chosen * dy[..., None]).reshape(windows.shape), inputs[0].shape)], {}

    def beside_kinks(self, x: np.ndarray, near: np.ndarray, signs: Callable[[], np.ndarray]) -> np.ndarray:
        return x + near * signs()

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        return np.zeros_like(y)

    def carried(self, inputs: Inputs, allowed: Inputs) -> np.ndarray:
        """The largest allowance of the window."""
        return self.forward({}, allowed[0])


@dataclass(frozen=True)
class GlobalAvgPool2d(Mixing):
    """Mean over the whole map, which becomes 1 x 1."""

    formula: ClassVar[str] = "y[c] = mean of x[c]"

    def channels(self, *channels: int | None) -> int | None:
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        n, c, _, _ = four(shapes[0])
        return (n, c, 1, 1)

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0].mean((2, 3), keepdims=True)

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [np.broadcast_to(dy / math.prod(inputs[0].shape[2:]), inputs[0].shape)], {}

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        terms = math.prod(inputs[0].shape[2:])
        squares = self.forward(arrays, inputs[0] ** 2) * terms
        equal = repeated(inputs[0], (2, 3))[:, :, None, None]
        return equal * summed(y * terms, squares, terms) / terms + last(y)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        return [last(gradients[0][0])[:, :, :1, :1]], {}  # one rounded number for all pixels of a channel
