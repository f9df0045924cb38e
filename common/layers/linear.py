"""The linear layer."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.layers.base import Arrays, Gradients, Inputs, Mixing, expect
from common.layers.rounding import last, summed
from common.layers.values import UNIFORM_FAN_IN, Init, ParamSpec, Shape, SpecError, initial_weights, positive

__all__ = ["Linear"]


@dataclass(frozen=True)
class Linear(Mixing):
    """``x @ weight.T + bias`` on ``[N, in_features]``.

    Raises:
        SpecError: if a size is not positive.
    """

    in_features: int
    out_features: int
    bias: bool = True
    init: Init = UNIFORM_FAN_IN

    formula: ClassVar[str] = "y = W · x + b"
    cost: ClassVar[str] = "in · out weights and MACs"

    def __post_init__(self) -> None:
        positive("in_features", self.in_features)
        positive("out_features", self.out_features)

    def params(self) -> tuple[ParamSpec, ...]:
        weight = ParamSpec("weight", (self.out_features, self.in_features), "linear_weight")
        return (weight, ParamSpec("bias", (self.out_features,), "linear_bias")) if self.bias else (weight,)

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return initial_weights(rng, self.params(), self.init)

    def channels(self, *channels: int | None) -> int:
        expect("in_features", self.in_features, channels[0])
        return self.out_features

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) != 2 or shapes[0][1] != self.in_features:
            raise SpecError(f"`in_features` (={self.in_features}) does not match its input, of shape {shapes[0]}")
        return (shapes[0][0], self.out_features)

    def macs(self, output: Shape) -> int:
        return math.prod(output) * self.in_features

    def settings(self) -> list[str]:
        return [f"{self.in_features} → {self.out_features}"]

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        y = inputs[0] @ arrays["weight"].T
        return y + arrays["bias"] if self.bias else y

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        bias = {"bias": dy.sum(0)} if self.bias else {}
        return [dy @ arrays["weight"]], {"weight": dy.T @ inputs[0], **bias}

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        squares = inputs[0] ** 2 @ arrays["weight"].T ** 2
        return summed(y - arrays["bias"] if self.bias else y, squares, self.in_features) + last(y)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        (dx,), by_name = gradients
        squares = dy**2
        weight = summed(by_name["weight"], squares.T @ inputs[0] ** 2, len(dy))
        bias = {"bias": summed(by_name["bias"], squares.sum(0), len(dy))} if self.bias else {}
        back = summed(dx, squares @ arrays["weight"] ** 2, self.out_features)
        return [back + last(dx)], {"weight": weight, **bias}
