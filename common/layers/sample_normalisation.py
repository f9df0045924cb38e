"""Norms of each sample by itself: over groups of channels, and over the channels of each pixel."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.layers.base import Arrays, Draw, Gradients, Inputs
from common.layers.convolution import per_channel
from common.layers.normalisation import SCALE, Norm, moment_errors
from common.layers.rounding import PIXELS, last, summed
from common.layers.values import ParamSpec, SpecError, positive

__all__ = ["GroupNorm", "LayerNorm2d"]


@dataclass(frozen=True)
class _SampleNorm(Norm):
    """A norm over groups of numbers of one sample, the same in training and in evaluation.

    ``_fold`` reshapes a map so that a group extends over ``_axes`` alone.
    """

    affine: bool = True
    _axes: ClassVar[tuple[int, ...]]

    def _fold(self, x: np.ndarray) -> np.ndarray:
        raise self._unstated("_fold")

    def params(self) -> tuple[ParamSpec, ...]:
        return self._affine() if self.affine else ()

    def _weight(self, arrays: Arrays) -> np.ndarray | float:
        return per_channel(arrays["weight"]) if self.affine else 1.0

    def _mean(self, x: np.ndarray) -> np.ndarray:
        """Each group's mean, at every element of the group."""
        folded = self._fold(x)
        return np.broadcast_to(folded.mean(self._axes, keepdims=True), folded.shape).reshape(x.shape)

    def _inverse(self, x: np.ndarray) -> np.ndarray:
        folded = self._fold(x)
        inverse = 1 / np.sqrt(folded.var(self._axes, keepdims=True) + self.eps)
        return np.broadcast_to(inverse, folded.shape).reshape(x.shape)

    def _moment_errors(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`moment_errors` of each group, at every element of the group."""
        folded = self._fold(x)
        errors = moment_errors(folded, folded.mean(self._axes), self._axes)
        mean, var = (np.broadcast_to(np.expand_dims(e, self._axes), folded.shape).reshape(x.shape) for e in errors)
        return mean, var

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        y = (inputs[0] - self._mean(inputs[0])) * self._inverse(inputs[0])
        return y * per_channel(arrays["weight"]) + per_channel(arrays["bias"]) if self.affine else y

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        inverse = self._inverse(inputs[0])
        unit = (inputs[0] - self._mean(inputs[0])) * inverse
        d = dy * self._weight(arrays)
        by_name = {"weight": (dy * unit).sum(PIXELS), "bias": dy.sum(PIXELS)} if self.affine else {}
        return [inverse * (d - self._mean(d) - unit * self._mean(d * unit))], by_name

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        x = inputs[0]
        return np.hypot(x, self._mean(x)) * self._inverse(x) * np.abs(self._weight(arrays)) + last(y)

    def shared(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """The errors of a group's mean and of its scale."""
        x = inputs[0]
        inverse = self._inverse(x)
        mean_error, var_error = self._moment_errors(x)
        scaled = (x - self._mean(x)) * inverse * self._weight(arrays)
        return [(mean_error, inverse * self._weight(arrays)), (np.hypot(var_error * inverse**2 / 2, SCALE), scaled)]

    def rounded_gradients(
        self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients, draw: Draw
    ) -> Gradients:
        (dx,), by_name = gradients
        x, mean, inverse = inputs[0], self._mean(inputs[0]), self._inverse(inputs[0])
        unit, d = (x - mean) * inverse, dy * self._weight(arrays)
        mean_error, var_error = self._moment_errors(x)
        # A group's elements share the errors of its mean, of its scale, and of two means over its elements.
        shift, scale = draw(mean_error) * inverse, draw(np.hypot(var_error * inverse**2 / 2, SCALE))
        size = (np.abs(x) + np.abs(mean)) * inverse
        folded = self._fold(x)
        n = folded.size // math.prod(s for axis, s in enumerate(folded.shape) if axis not in self._axes)
        first, second = (
            draw(summed(n * self._mean(terms), n * self._mean(squares), n) / n)
            for terms, squares in ((d, d**2), (d * unit, (d * size) ** 2))
        )
        slope = np.abs(self._mean(d * unit))
        local = inverse * np.sqrt(d**2 + self._mean(d) ** 2 + (size * slope) ** 2)
        dx = dx * (1 + scale) + inverse * (first + unit * second + shift * slope) + draw(local)
        if not self.affine:
            return [dx], by_name
        pixels = x.size // x.shape[1]
        sums = {"weight": ((dy * size) ** 2).sum(PIXELS), "bias": (dy**2).sum(PIXELS)}
        by_name = {name: gradient + draw(summed(gradient, sums[name], pixels)) for name, gradient in by_name.items()}
        by_name["weight"] = by_name["weight"] + (dy * (unit * scale + shift)).sum(PIXELS)
        return [dx], by_name


@dataclass(frozen=True)
class GroupNorm(_SampleNorm):
    """Normalisation over runs of channels and all pixels of a sample (Wu and He, 2018, https://arxiv.org/abs/1803.08494).

    Raises:
        SpecError: if ``num_groups`` does not divide ``num_features``, or ``eps`` is not positive.
    """

    num_groups: int = 2
    _axes: ClassVar[tuple[int, ...]] = (2, 3, 4)
    formula: ClassVar[str] = "y = γ · (x - μ) / √(σ² + ε) + β\n  μ, σ² of a run of channels, in each sample"
    cost: ClassVar[str] = "2 trainable values a channel"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_features % positive("num_groups", self.num_groups):
            raise SpecError(f"`num_groups` (={self.num_groups}) must divide `num_features` (={self.num_features})")

    def settings(self) -> list[str]:
        return [f"{self.num_features}", f"groups {self.num_groups}", "" if self.affine else "no scale and bias"]

    def _fold(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), self.num_groups, -1, *x.shape[2:])


@dataclass(frozen=True)
class LayerNorm2d(_SampleNorm):
    """Layer normalisation over the channels of each pixel (Ba et al., 2016, https://arxiv.org/abs/1607.06450).

    As in ConvNeXt (Liu et al., 2022, https://arxiv.org/abs/2201.03545): the axis that is last in NHWC.

    Raises:
        SpecError: if ``eps`` is not positive.
    """

    _axes: ClassVar[tuple[int, ...]] = (1,)
    formula: ClassVar[str] = "y = γ · (x - μ) / √(σ² + ε) + β\n  μ, σ² of the channels of each pixel"
    cost: ClassVar[str] = "2 trainable values a channel"

    def settings(self) -> list[str]:
        return [f"{self.num_features}", "" if self.affine else "no scale and bias"]

    def _fold(self, x: np.ndarray) -> np.ndarray:
        return x
