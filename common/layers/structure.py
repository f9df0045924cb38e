"""Layers that arrange numbers, or join several inputs element by element."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.layers.base import Arrangement, Arrays, Gradients, Inputs, Layer, Mixing, four
from common.layers.rounding import last, summed
from common.layers.values import Shape, SpecError, positive

__all__ = ["Add", "ChannelShuffle", "ChannelSlice", "Concat", "Dropout", "Flatten", "Multiply"]


@dataclass(frozen=True)
class Flatten(Arrangement):
    """``[N, C, H, W] -> [N, C * H * W]``, channels slowest (an NHWC framework must transpose first)."""

    formula: ClassVar[str] = "y[n, (c·H + i)·W + j] = x[n, c, i, j]"

    def channels(self, *channels: int | None) -> None:
        return None

    def output_shape(self, *shapes: Shape) -> Shape:
        return (shapes[0][0], math.prod(shapes[0][1:]))

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0].reshape(len(inputs[0]), -1)

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [dy.reshape(inputs[0].shape)], {}


@dataclass(frozen=True)
class Dropout(Arrangement):
    """The identity in evaluation; training sets a share ``rate`` to 0 and scales the rest by ``1 / (1 - rate)``.

    Raises:
        SpecError: if ``rate`` is outside [0, 1).
    """

    rate: float = 0.5
    formula: ClassVar[str] = "evaluation: y = x; training: y = x · mask / (1 - rate)"

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise SpecError(f"`rate` (={self.rate!r}) must lie in [0, 1)")

    def settings(self) -> list[str]:
        return [f"{self.rate:g}"]

    def channels(self, *channels: int | None) -> int | None:
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def without_chance(self) -> Layer:
        return Dropout(0.0)

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0]

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        """Raises ValueError for a rate above 0: the mask is random in every framework."""
        if self.rate:
            raise ValueError(f"dropout (rate={self.rate}) is random in training: compare the block `without_dropout`")
        return [dy], {}


@dataclass(frozen=True)
class Concat(Arrangement):
    """Joins its inputs on the channel axis."""

    joins: ClassVar[bool] = True
    formula: ClassVar[str] = "y = the channels of all inputs, one after another"

    def channels(self, *channels: int | None) -> int | None:
        return None if None in channels else sum(c for c in channels if c is not None)

    def output_shape(self, *shapes: Shape) -> Shape:
        first = shapes[0]
        if any(s[:1] + s[2:] != first[:1] + first[2:] for s in shapes):
            raise SpecError(f"concat needs maps of one size, not {', '.join(map(str, shapes))}")
        return (first[0], sum(s[1] for s in shapes), *first[2:])

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return np.concatenate(inputs, 1)

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return np.split(dy, np.cumsum([x.shape[1] for x in inputs])[:-1], 1), {}


@dataclass(frozen=True)
class ChannelSlice(Arrangement):
    """Keeps channels ``start`` to ``stop - 1``.

    Raises:
        SpecError: unless ``0 <= start < stop`` (and, in a graph, ``stop`` is at most the channel count).
    """

    start: int
    stop: int
    formula: ClassVar[str] = "y[c] = x[start + c]"

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise SpecError(f"a channel slice needs 0 <= start < stop, not {self.start}:{self.stop}")

    def settings(self) -> list[str]:
        return [f"{self.start}:{self.stop}"]

    def channels(self, *channels: int | None) -> int:
        if channels[0] is not None and self.stop > channels[0]:
            raise SpecError(f"`stop` (={self.stop}) exceeds the {channels[0]} channels of its input")
        return self.stop - self.start

    def output_shape(self, *shapes: Shape) -> Shape:
        self.channels(shapes[0][1])
        return (shapes[0][0], self.stop - self.start, *shapes[0][2:])

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0][:, self.start : self.stop]

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        dx = np.zeros_like(inputs[0])
        dx[:, self.start : self.stop] = dy
        return [dx], {}


@dataclass(frozen=True)
class ChannelShuffle(Arrangement):
    """Takes one channel of each of ``groups`` runs in turn (Zhang et al., 2017, https://arxiv.org/abs/1707.01083).

    Output channel ``i * groups + g`` is input channel ``g * (C / groups) + i``.

    Raises:
        SpecError: if ``groups`` is not positive or does not divide the channels of its input.
    """

    groups: int
    formula: ClassVar[str] = "y[i·groups + g] = x[g·(C / groups) + i]"

    def __post_init__(self) -> None:
        positive("groups", self.groups)

    def settings(self) -> list[str]:
        return [f"groups {self.groups}"]

    def channels(self, *channels: int | None) -> int | None:
        if channels[0] is not None and channels[0] % self.groups:
            raise SpecError(f"`groups` (={self.groups}) must divide the {channels[0]} channels of its input")
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        self.channels(four(shapes[0])[1])
        return shapes[0]

    def _shuffled(self, x: np.ndarray, groups: int) -> np.ndarray:
        n, c, h, w = x.shape
        return x.reshape(n, groups, c // groups, h, w).swapaxes(1, 2).reshape(x.shape)

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return self._shuffled(inputs[0], self.groups)

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [self._shuffled(dy, dy.shape[1] // self.groups)], {}


@dataclass(frozen=True)
class Add(Mixing):
    """Elementwise sum of its inputs."""

    joins: ClassVar[bool] = True
    formula: ClassVar[str] = "y = the sum of all inputs"

    def channels(self, *channels: int | None) -> int | None:
        if len({c for c in channels if c is not None}) > 1:
            raise SpecError(f"add needs equal channels, not {', '.join(map(str, channels))}")
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(set(shapes)) > 1:
            raise SpecError(f"add needs equal shapes, not {', '.join(map(str, shapes))}")
        return shapes[0]

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return np.sum(inputs, 0)

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [dy] * len(inputs), {}

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        return last(y)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        return [last(gradient) for gradient in gradients[0]], {}


@dataclass(frozen=True)
class Multiply(Mixing):
    """Elementwise product of two inputs; one of them may be a gate ``[N, C, 1, 1]``, which multiplies the whole map."""

    joins: ClassVar[bool] = True
    formula: ClassVar[str] = "y = the product of both inputs; one may be [N, C, 1, 1]"

    def channels(self, *channels: int | None) -> int | None:
        if len(channels) != 2:
            raise SpecError(f"multiply takes two inputs, not {len(channels)}")
        if len({c for c in channels if c is not None}) > 1:
            raise SpecError(f"multiply needs equal channels, not {', '.join(map(str, channels))}")
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        one, other = shapes
        for whole, part in ((one, other), (other, one)):
            if part in (whole, (*whole[:2], 1, 1)):
                return whole
        raise SpecError(f"multiply needs equal shapes, or a gate of 1 x 1, not {one}, {other}")

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0] * inputs[1]

    def _terms(self, inputs: Inputs, dy: np.ndarray) -> list[tuple[np.ndarray, tuple[int, ...]]]:
        """For each input the terms of its gradient, and the axes over which they are summed."""
        pairs = zip(inputs, reversed(inputs), strict=True)
        return [(dy * other, () if x.shape == dy.shape else (2, 3)) for x, other in pairs]

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [terms.sum(axes, keepdims=True) for terms, axes in self._terms(inputs, dy)], {}

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        return last(y)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        def deviation(gradient: np.ndarray, terms: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
            squares = (terms**2).sum(axes, keepdims=True)
            return summed(gradient, squares, terms.size // gradient.size) if axes else last(gradient)

        pairs = zip(gradients[0], self._terms(inputs, dy), strict=True)
        return [deviation(gradient, *terms) for gradient, terms in pairs], {}
