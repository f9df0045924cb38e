"""How far training may be from the reference: rounding put into every step of the oracle's forward and backward pass.

As in `common.oracle.rounding`, each layer's error is modelled by the sums it is made of, and runs of the reference with
such errors show how they spread: through batch statistics, gradients, running statistics and optimiser steps. Where
an activation's input is so near zero that rounding may decide its sign, the sign is drawn at random.
"""

from collections.abc import Callable, Container, Sequence

import numpy as np

from common.layers import AvgPool2d, BatchNorm2d, Conv2d, GlobalAvgPool2d, Linear, Softmax
from common.oracle import backprop, reference
from common.oracle.backprop import Gradients, Pass, statistics
from common.oracle.optimisers import Optimiser
from common.oracle.reference import per_channel
from common.oracle.rounding import ALLOWED, SAMPLES, UNIT_ROUNDOFF, coherent, errors, repeated, rounding, summed
from common.spec import BlockSpec, Node
from common.spec.params import Arrays

PIXELS = (0, 2, 3)


class Rounded(backprop.Exact):
    """Rounding errors of a type of unit roundoff ``u``, drawn from ``rng``.

    ``exact`` are the passes without them: where rounding may decide the sign of an activation's input, it is drawn.
    Without them every run keeps the signs that its own rounding gives: over many steps the distance from ``exact`` is
    more than rounding, and signs drawn by it would widen it, and feed on themselves.
    """

    def __init__(self, rng: np.random.Generator, u: float, exact: Sequence[Pass] = ()) -> None:
        self._rng, self._u = rng, u
        self._passes = iter(exact)

    def begin(self) -> None:
        self._exact = next(self._passes, None)
        self._values: Arrays = {}

    def _error(self, deviation: np.ndarray) -> np.ndarray:
        return self._u * errors(self._rng, deviation)

    def _shared(self, like: np.ndarray) -> np.ndarray:
        """One normal number a channel."""
        return self._rng.standard_normal((1, like.shape[1]) + (1,) * (like.ndim - 2))

    def output(self, node: Node, params: Arrays, inputs: list[np.ndarray], y: np.ndarray) -> np.ndarray:
        arrays = params
        if isinstance(node.layer, BatchNorm2d):
            mean, var = statistics(inputs[0])
            arrays = {**params, "running_mean": mean, "running_var": var}
        shared = self._u * self._shared(y) * coherent(node.layer, arrays, y)
        y = y + self._error(rounding(node.layer, arrays, inputs, y)) + shared
        self._values[node.name] = y
        return y

    def moments(self, node: Node, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # As E[x^2] - E[x]^2, in one pass: what torch's channels_last and Flax do, the worst conditioned of the ways.
        mean_error, var_error = moment_errors(x, mean)
        return mean + self._error(mean_error), np.maximum(var + self._error(var_error), 0)

    def mask(self, node: Node, x: np.ndarray) -> np.ndarray:
        source = node.inputs[0]
        if self._exact is None or source not in self._values:  # the block's input, which has no error
            return x
        error = self._values[source] - self._exact.values[source]
        near = ALLOWED * np.sqrt((error**2).mean(tuple({*range(x.ndim)} - {1}), keepdims=True))
        return np.where(np.abs(x) < near, self._rng.choice([-1.0, 1.0], x.shape), x)

    def gradients(
        self, node: Node, params: Arrays, inputs: list[np.ndarray], dy: np.ndarray, found: Gradients
    ) -> Gradients:
        given, mine = found
        if isinstance(node.layer, BatchNorm2d):
            return self._norm_gradients(node.layer, params, inputs[0], dy, given[0], mine)
        errors, own = gradient_errors(node, params, inputs, dy, found)
        return (
            [gradient + self._error(error) for gradient, error in zip(given, errors, strict=True)],
            {name: gradient + self._error(own[name]) for name, gradient in mine.items()},
        )

    def _norm_gradients(
        self, layer: BatchNorm2d, params: Arrays, x: np.ndarray, dy: np.ndarray, dx: np.ndarray, mine: Arrays
    ) -> Gradients:
        mean, var = statistics(x)
        n = x.size // x.shape[1]
        inverse = 1 / np.sqrt(per_channel(var) + layer.eps)
        unit = (x - per_channel(mean)) * inverse
        d = dy * per_channel(params["weight"]) if layer.affine else dy
        # What a channel shares: its rounded mean and scale, and the two sums over its pixels.
        mean_error, var_error = moment_errors(x, mean)
        shift = per_channel(self._error(mean_error)) * inverse
        scale = per_channel(self._error(var_error)) * inverse**2 / 2
        size = (np.abs(x) + np.abs(per_channel(mean))) * inverse
        sums = [(d.sum(PIXELS), (d**2).sum(PIXELS)), ((d * unit).sum(PIXELS), ((d * size) ** 2).sum(PIXELS))]
        equal = repeated(d), repeated(d * unit)
        first, second = (
            per_channel(self._error(times * summed(total, squares, n)) / n)
            for times, (total, squares) in zip(equal, sums, strict=True)
        )
        slope = np.abs((d * unit).mean(PIXELS, keepdims=True))
        local = inverse * np.sqrt(d**2 + d.mean(PIXELS, keepdims=True) ** 2 + (size * slope) ** 2)
        dx = dx * (1 + scale) + inverse * (first + unit * second + shift * slope) + self._error(local)
        if not layer.affine:
            return [dx], mine
        errors = {
            "weight": equal[1] * summed(mine["weight"], ((dy * size) ** 2).sum(PIXELS), n),
            "bias": equal[0] * summed(mine["bias"], (dy**2).sum(PIXELS), n),
        }
        mine = {name: gradient + self._error(errors[name]) for name, gradient in mine.items()}
        mine["weight"] = mine["weight"] * (1 + scale.ravel()) + shift.ravel() * mine["bias"]
        return [dx], mine

    def loss(self, logits: np.ndarray, losses: np.ndarray, dy: np.ndarray) -> tuple[float, np.ndarray]:
        # As log(sum exp(d)) - d with d = logits - max, which is as wrong as its terms are large.
        distance = np.abs(logits - logits.max(1, keepdims=True))
        probabilities = reference.forward(Softmax(), {}, logits)
        each = np.hypot((probabilities * (distance + 1)).sum(1) + 1, distance.max(1))
        mean = summed(losses.sum(), (losses**2).sum(), len(losses)) / len(losses)
        loss, dy = super().loss(logits, losses + self._error(each), dy)
        return loss + float(self._error(mean)), dy + self._error(probabilities * (distance + 2) / len(dy) + np.abs(dy))

    def complement(self, power: float) -> float:
        # Near 1 the power's own rounding is what is left: where 1 - 0.999 is computed in float32, it is 1000 times u.
        return 1 - power + self._u * power * float(self._rng.standard_normal())

    def state(self, arrays: Arrays) -> Arrays:
        return {name: array + self._error(np.abs(array)) for name, array in arrays.items()}


def moment_errors(x: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deviations, in units of u, of a channel's mean and of its variance as E[x^2] - E[x]^2."""
    n = x.size // x.shape[1]
    square = x**2
    squares, fourths = square.sum(PIXELS), (square**2).sum(PIXELS)
    equal = repeated(x)
    mean_error = equal * summed(mean * n, squares, n) / n
    return mean_error, np.hypot(equal * summed(squares, fourths, n) / n, 2 * np.abs(mean) * mean_error)


def gradient_errors(
    node: Node, params: Arrays, inputs: list[np.ndarray], dy: np.ndarray, found: Gradients
) -> Gradients:
    """Deviations, in units of u, of the gradients that one layer computes (a norm's are correlated: not here)."""
    given, mine = found
    last = [np.abs(gradient) / np.sqrt(3) for gradient in given]
    match node.layer:
        case Conv2d() as layer:
            x, squares = inputs[0], dy**2
            back = backprop.conv2d_input_gradient(squares, params["weight"] ** 2, layer, x.shape)
            terms = layer.out_channels // layer.groups * int(np.prod(layer.kernel_size))
            pixels = dy.size // dy.shape[1]
            weight = summed(mine["weight"], backprop.conv2d_weight_gradient(x**2, squares, layer), pixels)
            equal = repeated(dy)
            both = np.minimum(
                equal[:, None], repeated(x).reshape(layer.groups, -1).repeat(len(equal) // layer.groups, 0)
            )
            weight = both[:, :, None, None] * weight  # a product is as often the same as both of its factors at most
            bias = {"bias": equal * summed(mine["bias"], squares.sum(PIXELS), pixels)} if layer.bias else {}
            return [summed(given[0], back, terms) + last[0]], {"weight": weight, **bias}
        case Linear() as layer:
            squares = dy**2
            weight = summed(mine["weight"], squares.T @ inputs[0] ** 2, len(dy))
            bias = {"bias": summed(mine["bias"], squares.sum(0), len(dy))} if layer.bias else {}
            back = summed(given[0], squares @ params["weight"] ** 2, layer.out_features)
            return [back + last[0]], {"weight": weight, **bias}
        case Softmax():
            y = reference.forward(node.layer, {}, *inputs)
            products = y * dy
            total = summed(products.sum(1, keepdims=True), (products**2).sum(1, keepdims=True), y.shape[1])
            return [y * (total + 2 * np.abs(dy)) + last[0]], {}
        case AvgPool2d() as layer:
            return [last[0] * np.sqrt(np.prod(layer.kernel_size))], {}
        case GlobalAvgPool2d():
            return [last[0][:, :, :1, :1]], {}  # one rounded number for all pixels of a channel
        case _:
            return last, {}


def pooled(squares: np.ndarray, channels: int | None) -> np.ndarray:
    """Each element's deviation, or if larger the root mean square over all that share its index on ``channels``."""
    axes = tuple(axis for axis in range(squares.ndim) if axis != channels)
    return np.sqrt(np.maximum(squares, squares.mean(axes, keepdims=True)))


def allowances(
    exact: Sequence[Arrays], rerun: Callable[[], Sequence[Arrays]], maps: Container[str] = ("input", "output")
) -> list[Arrays]:
    """Allowances for lists of named arrays (one a step), from runs with rounding put in.

    What is named in ``maps`` shares a deviation by channel, weights by output channel, vectors as a whole.
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

    def named(found: Pass) -> list[Arrays]:
        return [{"output": found.values[output], **found.gradients}]

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
