"""How far a right answer may be from the reference: the one place where a tolerance is derived.

Rounding is modelled layer by layer. The reference runs again with random errors of the modelled size added to every
layer's output; the spread at a layer is that of its rounding and of the rounding of all layers before it. No tolerance
depends on the answer of a framework.

common/layers/ says how one layer rounds, by the model of common/layers/rounding.py: a sum that is accumulated one by
one. A library may do better; it may not do worse than ALLOWED deviations of this model.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from common.layers.special import ndtri
from common.oracle import reference
from common.spec import INPUT, BlockSpec, Node
from common.spec.params import Arrays

UNIT_ROUNDOFF = {"bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
# The largest of 10^6 normal errors is 5 deviations, and one of 100 deviations estimated from 8 samples is less than
# 0.45 of the true one (chi-squared, 8 degrees of freedom): 5 / 0.45 = 11, rounded up.
SAMPLES = 8
ELEMENTS = 2**25  # in all samples of a block together; a larger block has fewer samples
ALLOWED = 12.0


def errors(rng: np.random.Generator, deviation: np.ndarray) -> np.ndarray:
    """Normal errors of these deviations, equal where the deviations are equal: equal operands are rounded alike.

    All pixels that a ReLU has set to 0, or that share one gradient behind a global mean, have the same error, and a sum
    over them multiplies it. An error is drawn by a hash (splitmix64: Steele et al., 2014,
    doi:10.1145/2660193.2660195) of its deviation cut to 32 bits, as the reference itself may compute equal numbers a
    little differently.
    """
    bits = np.ascontiguousarray(deviation, np.float64).view(np.uint64) >> np.uint64(20)
    bits = bits + rng.integers(2**64, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    bits >>= np.uint64(12)
    return deviation * ndtri((bits + 0.5) * 2.0**-52).reshape(np.shape(deviation))


def deviation(squares: np.ndarray) -> np.ndarray:
    """From mean squared errors: each element's deviation, or if larger the root mean square of its channel."""
    axes = (0, *range(2, squares.ndim))
    return np.sqrt(np.maximum(squares, squares.mean(axes, keepdims=True)))


def allowances(
    spec: BlockSpec, params: Arrays, values: Arrays, dtype: str, fed: Mapping[str, np.ndarray] = MappingProxyType({})
) -> Arrays:
    """How far each element of each node's output, computed in ``dtype``, may be from the reference's ``values``.

    The next layers read the arrays in ``fed`` instead of the outputs of those names: their errors start there.
    """
    rng = np.random.default_rng(0)
    u = UNIT_ROUNDOFF[dtype] + UNIT_ROUNDOFF["float64"]  # the second is that of the reference
    independent, coherent, shared = {}, {}, {}
    read = {**values, **fed}
    for node in spec.nodes:
        arrays, inputs, y = reference.local(node, params), [read[name] for name in node.inputs], values[node.name]
        independent[node.name] = node.layer.rounding(arrays, inputs, y)  # in units of u
        coherent[node.name] = u * node.layer.coherent(arrays, y)
        shared[node.name] = node.layer.shared(arrays, inputs, y)
    squares = {name: np.zeros_like(value) for name, value in values.items()}
    # A channel of a large map has many elements: few samples tell its deviation. In a vector it has few elements.
    per_channel = min(value.size // value.shape[1] for value in values.values())
    fewest = max(2, SAMPLES // max(1, per_channel))
    samples = int(np.clip(ELEMENTS // sum(value.size for value in values.values()), fewest, SAMPLES))

    def perturb(node: Node, y: np.ndarray) -> np.ndarray:
        y = y + u * errors(rng, independent[node.name])
        y = y + coherent[node.name] * rng.standard_normal((1, y.shape[1]) + (1,) * (y.ndim - 2))
        for spread, factor in shared[node.name]:
            y = y + u * errors(rng, spread) * factor
        squares[node.name] += (y - values[node.name]) ** 2 / samples
        return fed.get(node.name, y)

    for _ in range(samples):
        reference.run(spec, params, values[INPUT], perturb)
    allowed = {INPUT: np.zeros_like(values[INPUT])}
    for node in spec.nodes:
        inputs = [read[name] for name in node.inputs]
        by_input = [np.zeros_like(read[name]) if name in fed else allowed[name] for name in node.inputs]
        carry = node.layer.carried(inputs, by_input)
        if carry is None:
            # Few samples may estimate too little; the allowance is never less than the rounding of the layer alone.
            allowed[node.name] = ALLOWED * np.maximum(deviation(squares[node.name]), u * independent[node.name])
        else:
            allowed[node.name] = carry + ALLOWED * u * independent[node.name]
    return allowed
