"""What a layer is: all that the oracle, the tolerances, the costs and the diagrams ask of a kind of layer.

A kind of layer is one class, and the class has all of its rules. `Layer` raises for every rule that a class does not
state, so that none is forgotten in silence; `Mixing`, `Elementwise` and `Arrangement` state what whole families share.

Arrays are canonical and in float64, by local name (``weight``): activations NCHW, kernels OIHW, linear weights
[out, in]. Deviations are in units of u, the unit roundoff of the type that is modelled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from common.layers.rounding import last
from common.layers.values import ParamSpec, Shape, SpecError

Arrays = Mapping[str, np.ndarray]
Inputs = Sequence[np.ndarray]
Gradients = tuple[list[np.ndarray], dict[str, np.ndarray]]  # by input, and by local name of the layer's arrays
Draw = Callable[[np.ndarray], np.ndarray]  # deviations -> random errors of these sizes


@dataclass(frozen=True)
class Layer:
    """A kind of layer, with its settings as fields, which are checked and made complete at construction."""

    formula: ClassVar[str]  # what is computed, as a reader sees it
    kinks: ClassVar[tuple[float, ...]]  # inputs at which the slope jumps: rounding decides which gradient is passed on
    joins: ClassVar[bool] = False  # whether a node may read several inputs
    cost: ClassVar[str] = ""  # the arrays and MACs, in words

    def _unstated(self, rule: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} states no rule `{rule}`: see common/layers/base.py")

    def params(self) -> tuple[ParamSpec, ...]:
        """The layer's arrays, with names local to it."""
        return ()

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The arrays that training starts from, by local name."""
        if self.params():
            raise self._unstated("initial")
        return {}

    def channels(self, *channels: int | None) -> int | None:
        """Output channels from input channels; None where they depend on the whole shape (after a flatten).

        Raises:
            SpecError: if the layer cannot take them.
        """
        raise self._unstated("channels")

    def output_shape(self, *shapes: Shape) -> Shape:
        """The output's shape from the inputs'.

        Raises:
            SpecError: if the layer cannot take them.
        """
        raise self._unstated("output_shape")

    def macs(self, output: Shape) -> int:
        """Multiply-accumulates for an output of this shape; only convolutions and linear layers count any."""
        raise self._unstated("macs")

    def settings(self) -> list[str]:
        """The settings that a diagram shows."""
        return []

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        """The output in evaluation mode; in training mode if ``arrays`` has the `batch_statistics`."""
        raise self._unstated("forward")

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        """Gradients of ``sum(y * dy)`` in training mode."""
        raise self._unstated("backward")

    def without_chance(self) -> "Layer":
        """The layer without what is random in training; checks of training use it."""
        return self

    def batch_statistics(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """The arrays that training reads instead of the buffers of the same names; empty without buffers."""
        if all(param.trainable for param in self.params()):
            return {}
        raise self._unstated("batch_statistics")

    def renewed(self, arrays: Arrays, statistics: Arrays, inputs: Inputs) -> dict[str, np.ndarray]:
        """The buffers after a training pass with these batch statistics."""
        if all(param.trainable for param in self.params()):
            return {}
        raise self._unstated("renewed")

    # How the layer rounds. Each rule is for one computation on exact inputs.

    def beside_kinks(self, x: np.ndarray, near: np.ndarray, signs: Callable[[], np.ndarray]) -> np.ndarray:
        """``x``; values within ``near`` of a kink are moved to one side of it, which ``signs`` draws as -1 or 1."""
        raise self._unstated("beside_kinks")

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        """The deviation of each element of the output; errors of different elements are independent."""
        raise self._unstated("rounding")

    def coherent(self, arrays: Arrays, y: np.ndarray) -> np.ndarray:
        """The deviation of an error that all pixels of a channel share, by element."""
        return np.zeros_like(y)

    def shared(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Errors that groups of elements share: the deviation of each error, equal in all elements of a group, and
        the factor of the error in each element.
        """
        return []

    def carried(self, inputs: Inputs, allowed: Inputs) -> np.ndarray | None:
        """The output's allowance from the inputs', if elements are treated one by one; None if they are mixed."""
        raise self._unstated("carried")

    def rounded_statistics(self, inputs: Inputs, statistics: Arrays, draw: Draw) -> dict[str, np.ndarray]:
        """The batch statistics with random errors."""
        if not statistics:
            return {}
        raise self._unstated("rounded_statistics")

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        """The deviation of each element of the gradients; errors of different elements are independent."""
        raise self._unstated("gradient_rounding")

    def rounded_gradients(
        self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients, draw: Draw
    ) -> Gradients:
        """The gradients with random errors."""
        by_input, by_name = self.gradient_rounding(arrays, inputs, dy, gradients)
        return (
            [gradient + draw(deviation) for gradient, deviation in zip(gradients[0], by_input, strict=True)],
            {name: gradient + draw(by_name[name]) for name, gradient in gradients[1].items()},
        )


def four(shape: Shape) -> tuple[int, int, int, int]:
    """The shape, if it is that of a map.

    Raises:
        SpecError: if it is not.
    """
    if len(shape) != 4:
        raise SpecError(f"input shape (={shape}) must be (batch, channels, height, width)")
    return shape  # type: ignore[return-value]


def expect(name: str, expected: int, actual: int | None) -> None:
    """Compares a channel count with the input's, where that is known.

    Raises:
        SpecError: if they differ.
    """
    if actual is not None and actual != expected:
        raise SpecError(f"`{name}` (={expected}) does not match the {actual} channels of its input")


class Mixing(Layer):
    """Each output element is a smooth function of several input elements."""

    kinks: ClassVar[tuple[float, ...]] = ()

    def macs(self, output: Shape) -> int:
        return 0

    def carried(self, inputs: Inputs, allowed: Inputs) -> np.ndarray | None:
        return None


class Elementwise(Layer):
    """A function of one number, ``value``, with its derivative, ``slope``, and the deviations of both."""

    def value(self, x: np.ndarray) -> np.ndarray:
        raise self._unstated("value")

    def slope(self, x: np.ndarray) -> np.ndarray:
        raise self._unstated("slope")

    def value_rounding(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        raise self._unstated("value_rounding")

    def slope_rounding(self, x: np.ndarray) -> np.ndarray:
        raise self._unstated("slope_rounding")

    def channels(self, *channels: int | None) -> int | None:
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def macs(self, output: Shape) -> int:
        return 0

    def forward(self, arrays: Arrays, *inputs: np.ndarray) -> np.ndarray:
        return self.value(inputs[0])

    def backward(self, arrays: Arrays, inputs: Inputs, y: np.ndarray, dy: np.ndarray) -> Gradients:
        return [self.slope(inputs[0]).astype(dy.dtype) * dy], {}

    def beside_kinks(self, x: np.ndarray, near: np.ndarray, signs: Callable[[], np.ndarray]) -> np.ndarray:
        for kink in self.kinks:
            x = np.where(np.abs(x - kink) < near, kink + near * signs(), x)
        return x

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        return self.value_rounding(inputs[0], y)

    def carried(self, inputs: Inputs, allowed: Inputs) -> np.ndarray:
        """By the steepest slope within each element's allowance: slopes in one channel may differ widely."""
        below, above = (np.abs(self.slope(inputs[0] + side * allowed[0])) for side in (-1, 1))
        return np.maximum(below, above) * allowed[0]

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        return [np.abs(dy) * self.slope_rounding(inputs[0]) + last(gradients[0][0])], {}


class Arrangement(Layer):
    """Numbers move and do not change: ``forward`` and ``backward`` copy, and nothing is rounded."""

    kinks: ClassVar[tuple[float, ...]] = ()

    def macs(self, output: Shape) -> int:
        return 0

    def rounding(self, arrays: Arrays, inputs: Inputs, y: np.ndarray) -> np.ndarray:
        return np.zeros_like(y)

    def carried(self, inputs: Inputs, allowed: Inputs) -> np.ndarray:
        return self.forward({}, *allowed)

    def gradient_rounding(self, arrays: Arrays, inputs: Inputs, dy: np.ndarray, gradients: Gradients) -> Gradients:
        return [last(gradient) for gradient in gradients[0]], {}


def sizes(values: Sequence[Any]) -> str:
    """``3x5``."""
    return "x".join(map(str, values))


def unless_usual(word: str, pair: tuple[int, int], usual: int = 1) -> str:
    """``stride 2`` or ``stride 2x1``, and nothing for the usual value."""
    return "" if pair == (usual, usual) else f"{word} {pair[0] if pair[0] == pair[1] else sizes(pair)}"
