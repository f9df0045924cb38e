"""Activations: functions of one number, and softmax."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from common.layers.base import Arrays, Elementwise, Gradients, Inputs, Mixing
from common.layers.rounding import last, summed
from common.layers.special import erf, expit
from common.layers.values import Shape, SpecError

__all__ = ["GELU", "Hardsigmoid", "Hardswish", "LeakyReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax"]

ROOT = math.sqrt(2 / math.pi)


class Exact(Elementwise):
    """A function that selects numbers or constants: neither it nor its slope rounds anything."""

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.zeros_like(y)

    def slope_rounding(self, x: np.ndarray) -> np.ndarray:
        return np.zeros_like(x)


@dataclass(frozen=True)
class ReLU(Exact):
    """``max(x, 0)``."""

    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    formula: ClassVar[str] = "y = max(x, 0)"

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    def slope(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, 1.0, 0.0)


@dataclass(frozen=True)
class ReLU6(Exact):
    """``min(max(x, 0), 6)`` (Howard et al., 2017, https://arxiv.org/abs/1704.04861)."""

    kinks: ClassVar[tuple[float, ...]] = (0.0, 6.0)
    formula: ClassVar[str] = "y = min(max(x, 0), 6)"

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.clip(x, 0, 6)

    def slope(self, x: np.ndarray) -> np.ndarray:
        return np.where((x > 0) & (x < 6), 1.0, 0.0)


@dataclass(frozen=True)
class LeakyReLU(Exact):
    """``x`` where positive, ``negative_slope * x`` elsewhere.

    Raises:
        SpecError: if ``negative_slope`` is outside [0, 1).
    """

    negative_slope: float = 0.01
    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    formula: ClassVar[str] = "y = x if x > 0, else slope · x"

    def __post_init__(self) -> None:
        if not 0 <= self.negative_slope < 1:
            raise SpecError(f"`negative_slope` (={self.negative_slope!r}) must lie in [0, 1)")

    def settings(self) -> list[str]:
        return [f"{self.negative_slope:g}"]

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, self.negative_slope * x)

    def slope(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, 1.0, self.negative_slope)

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return last(y)


@dataclass(frozen=True)
class Hardsigmoid(Elementwise):
    """``min(max(x + 3, 0), 6) / 6`` (Howard et al., 2019, https://arxiv.org/abs/1905.02244)."""

    kinks: ClassVar[tuple[float, ...]] = (-3.0, 3.0)
    formula: ClassVar[str] = "y = min(max(x + 3, 0), 6) / 6"

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.clip(x + 3, 0, 6) / 6

    def slope(self, x: np.ndarray) -> np.ndarray:
        return np.where((x > -3) & (x < 3), 1 / 6, 0.0)

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # Frameworks compute (x + 3) / 6, or x * (1 / 6) + 0.5 with a rounded sixth.
        return np.where((y > 0) & (y < 1), np.abs(x) / 6 + y, 0.0)

    def slope_rounding(self, x: np.ndarray) -> np.ndarray:
        return last(self.slope(x))


@dataclass(frozen=True)
class Hardswish(Elementwise):
    """``x * min(max(x + 3, 0), 6) / 6`` (Howard et al., 2019, https://arxiv.org/abs/1905.02244)."""

    kinks: ClassVar[tuple[float, ...]] = (-3.0, 3.0)
    formula: ClassVar[str] = "y = x · min(max(x + 3, 0), 6) / 6"

    def value(self, x: np.ndarray) -> np.ndarray:
        return x * np.clip(x + 3, 0, 6) / 6

    def slope(self, x: np.ndarray) -> np.ndarray:
        return np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, (2 * x + 3) / 6))

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 2 * last(y) + np.where(np.abs(x) < 3, last(x), 0.0)  # the sum x + 3 is rounded before it is multiplied

    def slope_rounding(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) < 3, (2 * np.abs(x) + 3) / 6, 0.0)


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """``1 / (1 + exp(-x))``."""

    kinks: ClassVar[tuple[float, ...]] = ()
    formula: ClassVar[str] = "y = 1 / (1 + exp(-x))"

    def value(self, x: np.ndarray) -> np.ndarray:
        return expit(x)

    def slope(self, x: np.ndarray) -> np.ndarray:
        return expit(x) * expit(-x)

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y * (2 * expit(-x) + 1)  # the exponential, times 1 - y; the sum; the division

    def slope_rounding(self, x: np.ndarray) -> np.ndarray:
        y = expit(x)
        return self.value_rounding(x, y) + self.slope(x)  # as y (1 - y): near 1 the error of y is all of 1 - y


@dataclass(frozen=True)
class SiLU(Elementwise):
    """``x / (1 + exp(-x))`` (Elfwing et al., 2017, https://arxiv.org/abs/1702.03118); also called Swish."""

    kinks: ClassVar[tuple[float, ...]] = ()
    formula: ClassVar[str] = "y = x / (1 + exp(-x))"

    def value(self, x: np.ndarray) -> np.ndarray:
        return x * expit(x)

    def slope(self, x: np.ndarray) -> np.ndarray:
        return expit(x) * (1 + x * expit(-x))

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.abs(x) * Sigmoid().value_rounding(x, expit(x)) + last(y)

    def slope_rounding(self, x: np.ndarray) -> np.ndarray:
        s = expit(x)
        rounding = Sigmoid().value_rounding(x, s)  # of s, and of 1 - s
        return (1 + np.abs(x)) * rounding + s * (1 + 2 * np.abs(x) * expit(-x))


@dataclass(frozen=True)
class GELU(Elementwise):
    """``x * Phi(x)``, where Phi is the normal distribution function, exact or approximated by ``tanh``.

    Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415. By default torch and Paddle use the exact function,
    JAX and Flax the approximation, which differs by up to 5e-4.

    Raises:
        SpecError: for an ``approximate`` that is neither ``none`` nor ``tanh``.
    """

    approximate: Literal["none", "tanh"] = "none"
    formula: ClassVar[str] = (
        "y = x · (1 + erf(x / √2)) / 2; approximated: y = x · (1 + tanh(√(2 / π) · (x + 0.044715 x³))) / 2"
    )
    kinks: ClassVar[tuple[float, ...]] = ()

    def __post_init__(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise SpecError(f"`approximate` (={self.approximate!r}) must be none or tanh")

    def settings(self) -> list[str]:
        return [self.approximate] if self.approximate != "none" else []

    def _inner(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``inner`` in ``y = x (1 + inner) / 2``, its slope, and the size of its argument's terms."""
        if self.approximate == "none":
            return erf(x / math.sqrt(2)), ROOT * np.exp(-(x**2) / 2), np.abs(x)
        argument = ROOT * (x + 0.044715 * x**3)
        inner = np.tanh(argument)
        return inner, (1 - inner**2) * ROOT * (1 + 3 * 0.044715 * x**2), np.abs(argument)

    def value(self, x: np.ndarray) -> np.ndarray:
        return x * (1 + self._inner(x)[0]) / 2

    def slope(self, x: np.ndarray) -> np.ndarray:
        inner, steep, _ = self._inner(x)
        return (1 + inner) / 2 + x * steep / 2

    def _inner_rounding(self, x: np.ndarray) -> np.ndarray:
        """The deviation of ``(1 + inner) / 2``: the sum cancels where inner is near -1, and the argument is rounded."""
        inner, steep, argument = self._inner(x)
        return np.abs(inner) + np.abs(1 + inner) / 2 + steep * argument

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.abs(x) * self._inner_rounding(x) + last(y)

    def slope_rounding(self, x: np.ndarray) -> np.ndarray:
        inner, steep, argument = self._inner(x)
        # The slope of erf or tanh has the relative error of the exponent or the square in it.
        steep_rounding = steep * (2 + x**2 / 2) if self.approximate == "none" else steep * (2 + argument) + 2 * inner**2
        return self._inner_rounding(x) + np.abs(x) * steep_rounding


@dataclass(frozen=True)
class Softmax(Mixing):
    """Softmax over axis 1 (channels or classes)."""

    formula: ClassVar[str] = "y[c] = exp(x[c]) / Σ(k) exp(x[k])"

    def channels(self, *channels: int | None) -> int | None:
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        powers = np.exp(inputs[0] - inputs[0].max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [y * (dy - (y * dy).sum(1, keepdims=True))], {}

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        # The relative error of exp(d) is the absolute error of d; a sum and a division follow.
        return y * (np.abs(inputs[0] - inputs[0].max(1, keepdims=True)) + 2)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        y = self.forward({}, *inputs)
        products = y * dy
        total = summed(products.sum(1, keepdims=True), (products**2).sum(1, keepdims=True), y.shape[1])
        return [y * (total + 2 * np.abs(dy)) + last(gradients[0][0])], {}
