"""How far a right answer may be from the reference: the one place where a tolerance is derived.

Rounding is modelled layer by layer and carried through the block by running the reference again with random errors of
the modelled size put into every layer's output. What comes out at a layer is how rounding, its own and that of all
layers before it, spreads there; nothing depends on what a framework happened to return.

The model of one layer: a sum of K terms t_i = w_i x_i, accumulated one by one in a type of unit roundoff u, rounds
each partial sum to u/sqrt(3) of its size (uniform). For terms in no particular order the partial sums grow as k y/K
plus a random walk, which gives the sum a standard deviation of u sqrt(K (y^2/9 + Q/6) + Q/3), where y is the result and
Q = sum t_i^2. Libraries that accumulate in blocks do better; none may do worse than ALLOWED such deviations.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri

from common.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    ChannelSlice,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Softmax,
)
from common.oracle import reference
from common.oracle.reference import per_channel
from common.spec import INPUT, BlockSpec, Node
from common.spec.params import Arrays

UNIT_ROUNDOFF = {"bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
# The largest of 10^6 normal errors is 5 deviations, and one of 100 deviations estimated from 8 samples is less than
# 0.45 of the true one (chi-squared, 8 degrees of freedom): 5 / 0.45 = 11, rounded up.
SAMPLES = 8
ELEMENTS = 2**25  # in all samples of a block together, above which there are fewer
ALLOWED = 12.0


def errors(rng: np.random.Generator, deviation: np.ndarray) -> np.ndarray:
    """Normal errors of these deviations, equal where the deviations are: equal operands are rounded alike.

    So are all pixels that a ReLU has set to 0, or that share one gradient behind a global mean, and a sum over them
    has their error many times over. Drawn by a hash of each deviation (splitmix64: Steele et al., 2014,
    doi:10.1145/2660193.2660195) to 32 bits, since the reference itself may compute equals a little differently.
    """
    bits = np.ascontiguousarray(deviation, np.float64).view(np.uint64) >> np.uint64(20)
    bits = bits + rng.integers(2**64, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    bits >>= np.uint64(12)
    return deviation * ndtri((bits + 0.5) * 2.0**-52).reshape(np.shape(deviation))


def summed(y: np.ndarray, squares: np.ndarray, terms: int) -> np.ndarray:
    """The deviation, in units of u, of a sequential sum ``y`` of so many terms whose squares sum to ``squares``."""
    return np.sqrt(terms * (y**2 / 9 + squares / 6) + squares / 3)


def repeated(x: np.ndarray, axes: tuple[int, ...] = (0, 2, 3)) -> np.ndarray:
    """How many times over, in deviation, sums of ``x`` over ``axes`` round because terms are equal; 1 if none are.

    A partial sum is a multiple of its last place, so what is lost by adding a term depends on that term alone while
    the exponent stays: equal terms lose the same, and the losses of m of them add up to m times one, not sqrt(m) times.
    """
    kept = tuple(axis for axis in range(x.ndim) if axis not in axes)
    values = np.sort(x.transpose(*kept, *axes).reshape(*(x.shape[axis] for axis in kept), -1))
    new = np.diff(values, prepend=np.nan) > 2.0**-32 * np.abs(values)
    new[..., 0] = True
    group = np.cumsum(new.ravel()) - 1
    times = np.bincount(group)[group].reshape(values.shape)
    return np.sqrt(np.maximum(1, np.where(values, times, 0).mean(-1)))


def rounding(layer: Layer, params: Arrays, inputs: list[np.ndarray], y: np.ndarray) -> np.ndarray:
    """The standard deviation, in units of u, of each element's error when one layer is computed once."""
    last = np.abs(y) / np.sqrt(3)
    match layer:
        case Conv2d():
            squares = reference.conv2d(inputs[0] ** 2, params["weight"] ** 2, layer)
            terms = int(np.prod(layer.weight_shape[1:]))
            bias = per_channel(params["bias"]) if layer.bias else 0.0
            return summed(y - bias, squares, terms) + last
        case Linear():
            squares = inputs[0] ** 2 @ params["weight"].T ** 2
            return summed(y - params["bias"] if layer.bias else y, squares, layer.in_features) + last
        case BatchNorm2d():
            # As (x - mean) * scale + bias or as x * scale + shift: the larger of both, term by term.
            scale = 1 / np.sqrt(per_channel(params["running_var"]) + layer.eps)
            scale = scale * np.abs(per_channel(params["weight"])) if layer.affine else scale
            return np.hypot(inputs[0], per_channel(params["running_mean"])) * scale + last
        case AvgPool2d() | GlobalAvgPool2d():
            terms = int(np.prod(layer.kernel_size if isinstance(layer, AvgPool2d) else inputs[0].shape[2:]))
            squares = reference.forward(layer, params, inputs[0] ** 2) * terms
            equal = repeated(inputs[0], (2, 3))[:, :, None, None] if isinstance(layer, GlobalAvgPool2d) else 1.0
            return equal * summed(y * terms, squares, terms) / terms + last
        case Softmax():
            # exp of a difference d is as wrong, relatively, as d is absolutely; then a sum and a division.
            return y * (np.abs(inputs[0] - inputs[0].max(1, keepdims=True)) + 2)
        case LeakyReLU() | Add():
            return last
        case _:
            return np.zeros_like(y)


def coherent(layer: Layer, params: Arrays, y: np.ndarray) -> np.ndarray:
    """The part of the deviation that a whole channel shares: a norm's scale is one rounded number a channel."""
    if not isinstance(layer, BatchNorm2d):
        return np.zeros_like(y)
    return np.sqrt(5 / 3) * np.abs(y - per_channel(params["bias"]) if layer.affine else y)


def deviation(squares: np.ndarray) -> np.ndarray:
    """From mean squared errors: each element's own deviation, or if larger the root mean square of its channel."""
    axes = (0, *range(2, squares.ndim))
    return np.sqrt(np.maximum(squares, squares.mean(axes, keepdims=True)))


def carried(layer: Layer, inputs: list[np.ndarray], allowed: list[np.ndarray]) -> np.ndarray | None:
    """What becomes of its inputs' allowances in a layer that treats every element on its own; None in any other.

    An activation passes an error on where its input is, or may be, positive, so its channels are of two kinds of
    element and have no deviation in common.
    """
    match layer:
        case ReLU() | LeakyReLU():
            slope = layer.negative_slope if isinstance(layer, LeakyReLU) else 0.0
            return np.where(inputs[0] > -allowed[0], 1.0, slope) * allowed[0]
        case Flatten() | Dropout() | ChannelSlice() | Concat():
            return reference.forward(layer, {}, *allowed)
        case _:
            return None


def allowances(
    spec: BlockSpec, params: Arrays, values: Arrays, dtype: str, held: Mapping[str, np.ndarray] = MappingProxyType({})
) -> Arrays:
    """How far each element of each node's output, computed in ``dtype``, may be from the reference's ``values``.

    What is in ``held`` is read by the next layers in the place of an output: their errors then start there.
    """
    rng = np.random.default_rng(0)
    u = UNIT_ROUNDOFF[dtype] + UNIT_ROUNDOFF["float64"]  # the second is the reference's own
    own, shared = {}, {}
    read = {**values, **held}
    for node in spec.nodes:
        arrays, inputs, y = reference.local(node, params), [read[name] for name in node.inputs], values[node.name]
        own[node.name] = rounding(node.layer, arrays, inputs, y)  # in units of u
        shared[node.name] = u * coherent(node.layer, arrays, y)
    squares = {name: np.zeros_like(value) for name, value in values.items()}
    # Large maps have so many elements a channel that fewer samples tell its deviation; a vector behind them has not.
    alone = min(value.size // value.shape[1] for value in values.values())
    fewest = max(2, SAMPLES // max(1, alone))
    samples = int(np.clip(ELEMENTS // sum(value.size for value in values.values()), fewest, SAMPLES))

    def perturb(node: Node, y: np.ndarray) -> np.ndarray:
        y = y + u * errors(rng, own[node.name])
        y = y + shared[node.name] * rng.standard_normal((1, y.shape[1]) + (1,) * (y.ndim - 2))
        squares[node.name] += (y - values[node.name]) ** 2 / samples
        return held.get(node.name, y)

    for _ in range(samples):
        reference.run(spec, params, values[INPUT], perturb)
    allowed = {INPUT: np.zeros_like(values[INPUT])}
    for node in spec.nodes:
        inputs = [read[name] for name in node.inputs]
        given = [np.zeros_like(read[name]) if name in held else allowed[name] for name in node.inputs]
        carry = carried(node.layer, inputs, given)
        if carry is None:
            # Samples are few and may understate it, but it is never less than the layer's own rounding.
            allowed[node.name] = ALLOWED * np.maximum(deviation(squares[node.name]), u * own[node.name])
        else:
            allowed[node.name] = carry + ALLOWED * u * own[node.name]
    return allowed
