"""The two-dimensional convolution: standard, grouped, depthwise and pointwise by its settings."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.layers.base import Arrays, Gradients, Inputs, Mixing, expect, four, sizes, unless_usual
from common.layers.rounding import PIXELS, last, repeated, summed
from common.layers.values import (
    UNIFORM_FAN_IN,
    Init,
    Padding,
    Pair,
    ParamSpec,
    Shape,
    SpecError,
    initial_weights,
    pair,
    positive,
    resolve_padding,
)
from common.layers.windows import taps, untaps, window_counts

__all__ = ["Conv2d"]


def per_channel(values: np.ndarray) -> np.ndarray:
    """``[c]`` as ``[1, c, 1, 1]``."""
    return values.reshape(1, -1, 1, 1)


@dataclass(frozen=True)
class Conv2d(Mixing):
    """Two-dimensional cross-correlation: NCHW in, NCHW out. ``groups=in_channels`` is depthwise.

    Raises:
        SpecError: if a size is not positive or ``groups`` does not divide both channel counts.
    """

    in_channels: int
    out_channels: int
    kernel_size: Pair = (3, 3)
    stride: Pair = (1, 1)
    padding: Padding = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1
    bias: bool = True
    init: Init = UNIFORM_FAN_IN

    formula: ClassVar[str] = (
        "y[o,i,j] = b[o] + Σ W[o,c,u,v] · x[c', s·i + d·u - p, s·j + d·v - p]\n"
        "  over c, u, v; c' is channel c of o's group"
    )
    cost: ClassVar[str] = "k² · C_in · C_out / groups weights; as many MACs for each of the H · W output pixels"

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "groups"):
            positive(name, getattr(self, name))
        for name in ("kernel_size", "stride", "dilation"):
            object.__setattr__(self, name, pair(name, getattr(self, name)))
        padding = resolve_padding(self.padding, self.kernel_size, self.stride, self.dilation)
        object.__setattr__(self, "padding", padding)
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise SpecError(f"`groups` (={self.groups}) must divide `{name}` (={getattr(self, name)})")

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def params(self) -> tuple[ParamSpec, ...]:
        weight = ParamSpec("weight", self.weight_shape, "conv_weight")
        return (weight, ParamSpec("bias", (self.out_channels,), "conv_bias")) if self.bias else (weight,)

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return initial_weights(rng, self.params(), self.init, self.groups)

    def channels(self, *channels: int | None) -> int:
        expect("in_channels", self.in_channels, channels[0])
        return self.out_channels

    def output_shape(self, *shapes: Shape) -> Shape:
        n, c, *size = four(shapes[0])
        expect("in_channels", self.in_channels, c)
        return (
            n,
            self.out_channels,
            *window_counts(size, self.kernel_size, self.stride, self.padding, self.dilation),
        )

    def macs(self, output: Shape) -> int:
        return math.prod(output) * math.prod(self.weight_shape[1:])

    def settings(self) -> list[str]:
        (top, bottom), (left, right) = self.padding
        even = top == bottom and left == right
        return [
            f"{sizes(self.kernel_size)}, {self.in_channels} → {self.out_channels}",
            unless_usual("stride", self.stride),
            unless_usual("padding", (top, left), 0) if even else f"padding {self.padding}",
            unless_usual("dilation", self.dilation),
            f"groups {self.groups}" if self.groups > 1 else "",
            "" if self.bias else "no bias",
        ]

    def _taps(self, x: np.ndarray) -> np.ndarray:
        return taps(x, self.kernel_size, self.stride, self.padding, self.dilation)

    def without_bias(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The cross-correlation alone: ``y[n, o, i, j] = sum over c, a, b of w[o, c, a, b] * x[...]``."""
        n, groups = x.shape[0], self.groups
        windows = self._taps(x)
        height, width, kh, kw = windows.shape[2:]
        kernels = weight.reshape(groups, self.out_channels // groups, -1, kh, kw)
        y = np.zeros((n, groups, kernels.shape[1], height * width), x.dtype)
        for a in range(kh):
            for b in range(kw):
                read = windows[..., a, b].reshape(n, groups, -1, height * width)
                # A product with one term needs no matrix multiplication, which is slow for many tiny groups.
                y += kernels[..., a, b] * read if read.shape[2] == 1 else kernels[..., a, b] @ read
        return y.reshape(n, self.out_channels, height, width)

    def input_gradient(self, dy: np.ndarray, weight: np.ndarray, shape: Shape) -> np.ndarray:
        """``dx[c] = sum over o, a, b of w[o, c, a, b] dy[o]`` at the pixels that read x."""
        n, _, height, width = dy.shape
        groups, (kh, kw) = self.groups, self.kernel_size
        kernels = weight.reshape(groups, self.out_channels // groups, -1, kh, kw)
        cotangents = dy.reshape(n, groups, -1, height * width)
        values = np.stack(
            [kernels[..., a, b].swapaxes(1, 2) @ cotangents for a in range(kh) for b in range(kw)], -1
        ).reshape(n, self.in_channels, height, width, kh, kw)
        return untaps(values, shape, self.stride, self.padding, self.dilation)

    def weight_gradient(self, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """``dw[o, c, a, b] = sum over n, i, j of dy[n, o, i, j] x[n, c, ...]``."""
        n, _, height, width = dy.shape
        groups, (kh, kw) = self.groups, self.kernel_size
        windows = self._taps(x)
        cotangents = dy.reshape(n, groups, -1, height * width)
        weight = [
            (cotangents @ windows[..., a, b].reshape(n, groups, -1, height * width).swapaxes(2, 3)).sum(0)
            for a in range(kh)
            for b in range(kw)
        ]
        return np.stack(weight, -1).reshape(self.weight_shape)

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        y = self.without_bias(inputs[0], arrays["weight"])
        return y + per_channel(arrays["bias"]) if self.bias else y

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        gradients = {"weight": self.weight_gradient(inputs[0], dy)}
        if self.bias:
            gradients["bias"] = dy.sum(PIXELS)
        return [self.input_gradient(dy, arrays["weight"], inputs[0].shape)], gradients

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        squares = self.without_bias(inputs[0] ** 2, arrays["weight"] ** 2)
        bias = per_channel(arrays["bias"]) if self.bias else 0.0
        return summed(y - bias, squares, math.prod(self.weight_shape[1:])) + last(y)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        (dx,), by_name = gradients
        x, squares = inputs[0], dy**2
        back = self.input_gradient(squares, arrays["weight"] ** 2, x.shape)
        terms = self.out_channels // self.groups * math.prod(self.kernel_size)
        pixels = dy.size // dy.shape[1]
        weight = summed(by_name["weight"], self.weight_gradient(x**2, squares), pixels)
        equal = repeated(dy)
        both = np.minimum(equal[:, None], repeated(x).reshape(self.groups, -1).repeat(len(equal) // self.groups, 0))
        weight = both[:, :, None, None] * weight  # a product repeats at most as often as both of its factors
        bias = {"bias": equal * summed(by_name["bias"], squares.sum(PIXELS), pixels)} if self.bias else {}
        return [summed(dx, back, terms) + last(dx)], {"weight": weight, **bias}
