"""How far training may be from the reference: rounding added in every step of the oracle's passes.

As in `common.oracle.rounding`, each layer's error is modelled by the sums it is made of, and runs of the reference with
such errors show how they spread: through batch statistics, gradients, running statistics and optimiser steps. Where
an activation's input is so near a kink that rounding may decide its side, the side is drawn at random.
"""

from collections.abc import Callable, Container, Sequence

import numpy as np

from common.layers import Softmax
from common.layers.base import Gradients
from common.layers.rounding import summed
from common.oracle import backprop
from common.oracle.backprop import Pass
from common.oracle.optimisers import Optimiser
from common.oracle.rounding import ALLOWED, SAMPLES, UNIT_ROUNDOFF, errors
from common.spec import BlockSpec, Node
from common.spec.params import Arrays


class Rounded(backprop.Exact):
    """Rounding errors of a type of unit roundoff ``u``, drawn from ``rng``.

    ``exact`` are the passes without errors. If they are passed, the sign of an activation's input is drawn where
    rounding may decide it. If not, every run keeps the signs that its rounding gives: over many steps the distance from
    the exact passes is more than rounding, and signs drawn by this distance would increase it further.
    """

    def __init__(self, rng: np.random.Generator, u: float, exact: Sequence[Pass] = ()) -> None:
        self._rng, self._u = rng, u
        self._passes = iter(exact)

    def begin(self) -> None:
        self._exact = next(self._passes, None)
        self._values: Arrays = {}

    def _error(self, deviation: np.ndarray) -> np.ndarray:
        return self._u * errors(self._rng, deviation)

    def output(self, node: Node, params: Arrays, inputs: list[np.ndarray], y: np.ndarray) -> np.ndarray:
        arrays = {**params, **node.layer.batch_statistics(inputs)}
        channel = self._rng.standard_normal((1, y.shape[1]) + (1,) * (y.ndim - 2))
        coherent = self._u * channel * node.layer.coherent(arrays, y)
        shared = node.layer.shared(arrays, inputs, y)
        y = y + self._error(node.layer.rounding(arrays, inputs, y)) + coherent
        for spread, factor in shared:
            y = y + self._error(spread) * factor
        self._values[node.name] = y
        return y

    def statistics(self, node: Node, inputs: list[np.ndarray], exact: Arrays) -> Arrays:
        return node.layer.rounded_statistics(inputs, exact, self._error)

    def decisive(self, node: Node, x: np.ndarray) -> np.ndarray:
        source = node.inputs[0]
        if self._exact is None or source not in self._values:  # the block's input, which has no error
            return x
        error = self._values[source] - self._exact.values[source]
        near = ALLOWED * np.sqrt((error**2).mean(tuple({*range(x.ndim)} - {1}), keepdims=True))
        return node.layer.beside_kinks(x, near, lambda: self._rng.choice([-1.0, 1.0], x.shape))

    def gradients(
        self, node: Node, params: Arrays, inputs: list[np.ndarray], dy: np.ndarray, exact: Gradients
    ) -> Gradients:
        return node.layer.rounded_gradients(params, inputs, dy, exact, self._error)

    def loss(self, logits: np.ndarray, losses: np.ndarray, dy: np.ndarray) -> tuple[float, np.ndarray]:
        # As log(sum exp(d)) - d with d = logits - max: its error is in proportion to its terms.
        distance = np.abs(logits - logits.max(1, keepdims=True))
        probabilities = Softmax().forward({}, logits)
        each = np.hypot((probabilities * (distance + 1)).sum(1) + 1, distance.max(1))
        mean = summed(losses.sum(), (losses**2).sum(), len(losses)) / len(losses)
        loss, dy = super().loss(logits, losses + self._error(each), dy)
        return loss + float(self._error(mean)), dy + self._error(probabilities * (distance + 2) / len(dy) + np.abs(dy))

    def complement(self, power: float) -> float:
        # Near 1 the rounding of the power remains: in float32 the relative error of 1 - 0.999 is 1000 times u.
        return 1 - power + self._u * power * float(self._rng.standard_normal())

    def state(self, arrays: Arrays) -> Arrays:
        return {name: array + self._error(np.abs(array)) for name, array in arrays.items()}


def pooled(squares: np.ndarray, channels: int | None) -> np.ndarray:
    """Each element's deviation, or if larger the root mean square over all of its index on axis ``channels``."""
    axes = tuple(axis for axis in range(squares.ndim) if axis != channels)
    return np.sqrt(np.maximum(squares, squares.mean(axes, keepdims=True)))


def allowances(
    exact: Sequence[Arrays], rerun: Callable[[], Sequence[Arrays]], maps: Container[str] = ("input", "output")
) -> list[Arrays]:
    """Allowances for named arrays, a dict for each step, from runs with rounding added.

    The arrays named in ``maps`` share a deviation by channel, weights by output channel, vectors as a whole.
    """
    squares = [{name: np.zeros_like(value) for name, value in arrays.items()} for arrays in exact]
    for _ in range(SAMPLES):
        for total, arrays, noisy in zip(squares, exact, rerun(), strict=True):
            for name, value in arrays.items():
                total[name] += (noisy[name] - value) ** 2 / SAMPLES

    def allowed(name: str, square: np.ndarray) -> np.ndarray:
        return ALLOWED * pooled(square, 1 if name in maps else 0 if square.ndim > 1 else None)

    return [{name: allowed(name, square) for name, square in arrays.items()} for arrays in squares]


def one_pass(spec: BlockSpec, params: Arrays, x: np.ndarray, dy: np.ndarray, dtype: str) -> tuple[Arrays, Arrays]:
    """Exact values and allowances of ``output``, of the gradients by name, and of ``input``'s gradient."""
    u = UNIT_ROUNDOFF[dtype] + UNIT_ROUNDOFF["float64"]
    rng, output = np.random.default_rng(0), spec.nodes[-1].name
    exact = backprop.train(spec, params, x, dy)

    def named(result: Pass) -> list[Arrays]:
        return [{"output": result.values[output], **result.gradients}]

    def rerun() -> list[Arrays]:
        return named(backprop.train(spec, params, x, dy, Rounded(rng, u, [exact])))

    return named(exact)[0], allowances(named(exact), rerun)[0]


def steps(
    spec: BlockSpec,
    params: Arrays,
    batches: list[tuple[np.ndarray, np.ndarray]],
    optimiser: Optimiser | None,
    dtype: str,
) -> tuple[list[Arrays], list[Arrays]]:
    """Exact arrays and allowances after each step; without an optimiser only the running statistics move."""
    u = UNIT_ROUNDOFF[dtype] + UNIT_ROUNDOFF["float64"]
    rng = np.random.default_rng(0)
    exact, passes = backprop.trajectory(spec, params, batches, optimiser)

    def rerun() -> list[Arrays]:
        return backprop.trajectory(spec, params, batches, optimiser, Rounded(rng, u, passes))[0]

    return exact, allowances(exact, rerun)
