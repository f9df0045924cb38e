"""Layer scale: a trained factor for each channel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.layers.base import Arrays, Gradients, Inputs, Mixing, expect, four
from common.layers.convolution import per_channel
from common.layers.rounding import PIXELS, last, summed
from common.layers.values import ParamSpec, Shape, SpecError, positive

__all__ = ["LayerScale"]


@dataclass(frozen=True)
class LayerScale(Mixing):
    """``x * weight`` with one factor a channel, which starts at ``value`` (Touvron et al., 2021,
    https://arxiv.org/abs/2103.17239).

    Raises:
        SpecError: if ``num_features`` is not positive, or ``value`` is 0.
    """

    num_features: int
    value: float = 1e-6

    formula: ClassVar[str] = "y = γ · x\n  γ of each channel"
    cost: ClassVar[str] = "1 trainable value a channel"

    def __post_init__(self) -> None:
        positive("num_features", self.num_features)
        if not self.value:
            raise SpecError(f"`value` (={self.value!r}) must not be 0: no gradient would reach what is scaled")

    def params(self) -> tuple[ParamSpec, ...]:
        return (ParamSpec("weight", (self.num_features,), "norm_weight"),)

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"weight": np.full(self.num_features, self.value)}

    def channels(self, *channels: int | None) -> int:
        expect("num_features", self.num_features, channels[0])
        return self.num_features

    def output_shape(self, *shapes: Shape) -> Shape:
        expect("num_features", self.num_features, four(shapes[0])[1])
        return shapes[0]

    def settings(self) -> list[str]:
        return [f"{self.num_features}", f"from {self.value:g}"]

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0] * per_channel(arrays["weight"])

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [dy * per_channel(arrays["weight"])], {"weight": (dy * inputs[0]).sum(PIXELS)}

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        return last(y)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        (dx,), by_name = gradients
        squares, terms = ((dy * inputs[0]) ** 2).sum(PIXELS), dy.size // self.num_features
        return [last(dx)], {"weight": summed(by_name["weight"], squares, terms)}
