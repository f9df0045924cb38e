"""What norms share, and the norm over the batch, with running statistics."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.layers.base import Arrays, Draw, Gradients, Inputs, Mixing, expect, four
from common.layers.convolution import per_channel
from common.layers.rounding import PIXELS, last, repeated, summed
from common.layers.values import ParamSpec, Shape, SpecError, positive

__all__ = ["BatchNorm2d"]

SCALE = math.sqrt(5 / 3)  # relative deviation of a norm's scale: the roundings of 1 / sqrt(var + eps) times a weight


@dataclass(frozen=True)
class Norm(Mixing):
    """What norms share: a scale and a shift for each channel, and an output of the input's shape."""

    num_features: int
    eps: float = 1e-5

    def __post_init__(self) -> None:
        positive("num_features", self.num_features)
        if not self.eps > 0:
            raise SpecError(f"`eps` (={self.eps!r}) must be greater than 0")

    def _affine(self) -> tuple[ParamSpec, ...]:
        shape = (self.num_features,)
        return ParamSpec("weight", shape, "norm_weight"), ParamSpec("bias", shape, "norm_bias")

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        ones = ("norm_weight", "running_var")
        return {param.name: np.full(param.shape, 1.0 if param.role in ones else 0.0) for param in self.params()}

    def channels(self, *channels: int | None) -> int:
        expect("num_features", self.num_features, channels[0])
        return self.num_features

    def output_shape(self, *shapes: Shape) -> Shape:
        expect("num_features", self.num_features, four(shapes[0])[1])
        return shapes[0]


def moment_errors(x: np.ndarray, mean: np.ndarray, axes: tuple[int, ...] = PIXELS) -> tuple[np.ndarray, np.ndarray]:
    """Deviations of the mean over ``axes`` and of the variance E[x^2] - E[x]^2, as arrays without these axes."""
    n = math.prod(x.shape[axis] for axis in axes)
    square = x**2
    squares, fourths = square.sum(axes), (square**2).sum(axes)
    equal = repeated(x, axes)
    mean_error = equal * summed(mean * n, squares, n) / n
    return mean_error, np.hypot(equal * summed(squares, fourths, n) / n, 2 * np.abs(mean) * mean_error)


@dataclass(frozen=True)
class BatchNorm2d(Norm):
    """Batch normalisation over N, H and W (Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167).

    ``momentum`` is the weight of the *new* value in the running statistics, as in torch; Paddle and Flax ask for its
    complement. The running variance averages the *biased* batch variance. With ``unbiased_running_var`` it averages
    n / (n - 1) times that, as torch does and the paper says for inference; no block of the catalogue asks for it.

    Raises:
        SpecError: if ``eps`` is not positive or ``momentum`` is outside [0, 1].
    """

    momentum: float = 0.1
    affine: bool = True
    unbiased_running_var: bool = False

    formula: ClassVar[str] = (
        "y = γ · (x - μ) / √(σ² + ε) + β\n  μ, σ² of the batch in training, running ones in evaluation"
    )
    cost: ClassVar[str] = "2 trainable values and 2 buffers a channel"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.momentum <= 1:
            raise SpecError(f"`momentum` (={self.momentum!r}) must lie in [0, 1]")

    def params(self) -> tuple[ParamSpec, ...]:
        shape = (self.num_features,)
        running = (ParamSpec("running_mean", shape, "running_mean"), ParamSpec("running_var", shape, "running_var"))
        return (*self._affine(), *running) if self.affine else running

    def settings(self) -> list[str]:
        return [f"{self.num_features}", "" if self.affine else "no scale and bias"]

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        centred = inputs[0] - per_channel(arrays["running_mean"])
        y = centred / np.sqrt(per_channel(arrays["running_var"]) + self.eps)
        return y * per_channel(arrays["weight"]) + per_channel(arrays["bias"]) if self.affine else y

    def batch_statistics(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """Mean and biased variance of each channel."""
        return {"running_mean": inputs[0].mean(PIXELS), "running_var": inputs[0].var(PIXELS)}

    def renewed(self, arrays: Arrays, statistics: Arrays, inputs: Inputs) -> dict[str, np.ndarray]:
        n = inputs[0].size // inputs[0].shape[1]
        mean, var = statistics["running_mean"], statistics["running_var"]
        var = var * n / max(n - 1, 1) if self.unbiased_running_var else var
        new = {"running_mean": mean, "running_var": var}
        return {name: (1 - self.momentum) * arrays[name] + self.momentum * value for name, value in new.items()}

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        unit, inverse = self._unit(inputs[0])
        by_name = {"weight": (dy * unit).sum(PIXELS), "bias": dy.sum(PIXELS)} if self.affine else {}
        d = dy * per_channel(arrays["weight"]) if self.affine else dy
        dx = inverse * (d - d.mean(PIXELS, keepdims=True) - unit * (d * unit).mean(PIXELS, keepdims=True))
        return [dx], by_name

    def _unit(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The normalised map before scale and shift, and the factor by which it was normalised."""
        inverse = 1 / np.sqrt(per_channel(x.var(PIXELS)) + self.eps)
        return (x - per_channel(x.mean(PIXELS))) * inverse, inverse

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        # For (x - mean) * scale + bias and for x * scale + shift: the larger deviation, term by term.
        scale = 1 / np.sqrt(per_channel(arrays["running_var"]) + self.eps)
        scale = scale * np.abs(per_channel(arrays["weight"])) if self.affine else scale
        return np.hypot(inputs[0], per_channel(arrays["running_mean"])) * scale + last(y)

    def coherent(self, arrays: Arrays, y: np.ndarray) -> np.ndarray:
        """A norm's scale is one rounded number for each channel."""
        return SCALE * np.abs(y - per_channel(arrays["bias"]) if self.affine else y)

    def rounded_statistics(self, inputs: Inputs, statistics: Arrays, draw: Draw) -> dict[str, np.ndarray]:
        # As E[x^2] - E[x]^2, in one pass, as torch's channels_last and Flax do: the worst conditioned way.
        mean, var = statistics["running_mean"], statistics["running_var"]
        mean_error, var_error = moment_errors(inputs[0], mean)
        return {"running_mean": mean + draw(mean_error), "running_var": np.maximum(var + draw(var_error), 0)}

    def rounded_gradients(
        self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients, draw: Draw
    ) -> Gradients:
        (dx,), by_name = gradients
        x, mean = inputs[0], inputs[0].mean(PIXELS)
        n = x.size // x.shape[1]
        unit, inverse = self._unit(x)
        d = dy * per_channel(arrays["weight"]) if self.affine else dy
        # A channel's pixels share the errors of its mean, of its scale, and of two sums over its pixels.
        mean_error, var_error = moment_errors(x, mean)
        shift = per_channel(draw(mean_error)) * inverse
        scale = per_channel(draw(var_error)) * inverse**2 / 2
        size = (np.abs(x) + np.abs(per_channel(mean))) * inverse
        sums = [(d.sum(PIXELS), (d**2).sum(PIXELS)), ((d * unit).sum(PIXELS), ((d * size) ** 2).sum(PIXELS))]
        equal = repeated(d), repeated(d * unit)
        first, second = (
            per_channel(draw(times * summed(total, squares, n)) / n)
            for times, (total, squares) in zip(equal, sums, strict=True)
        )
        slope = np.abs((d * unit).mean(PIXELS, keepdims=True))
        local = inverse * np.sqrt(d**2 + d.mean(PIXELS, keepdims=True) ** 2 + (size * slope) ** 2)
        dx = dx * (1 + scale) + inverse * (first + unit * second + shift * slope) + draw(local)
        if not self.affine:
            return [dx], by_name
        errors = {
            "weight": equal[1] * summed(by_name["weight"], ((dy * size) ** 2).sum(PIXELS), n),
            "bias": equal[0] * summed(by_name["bias"], (dy**2).sum(PIXELS), n),
        }
        by_name = {name: gradient + draw(errors[name]) for name, gradient in by_name.items()}
        by_name["weight"] = by_name["weight"] * (1 + scale.ravel()) + shift.ravel() * by_name["bias"]
        return [dx], by_name
