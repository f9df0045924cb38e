"""The level `use` of `common.check.judge`: a block is used again and again, as people do, and not once from the start.

It gets other arrays after it ran; it is evaluated with the arrays that training left, and trained again without being
told so; no call writes into its input; every array comes back in the dtype asked for; and dropout drops values.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from common.check.cache import kept
from common.check.comparison import Values, compare
from common.check.training import Training, batches
from common.layers import Dropout, Flatten, Linear
from common.oracle import reference, rounding, training_rounding
from common.oracle.backprop import without_dropout
from common.oracle.rounding import UNIT_ROUNDOFF
from common.protocols import Trained
from common.spec import INPUT, BlockSpec
from common.spec.catalogue import Case
from common.spec.params import randomised

LEVEL = "use"
BESIDES = "inputs and dtypes"
WATCHED = ("forward", "forward_train", "gradients", "trajectory", "params")
CALLS = 8  # of a training pass with dropout
FALSE_ALARM = 1e-9  # how probable it is at most that right dropout has another share of zeros than is allowed


def _arrays(value: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays in what a block takes or returns, by name."""
    if isinstance(value, np.ndarray):
        yield "output", value
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)


class Watched:
    """A built block. ``problems`` collects which calls write into an input or return another dtype; of which array."""

    def __init__(self, built: Any, dtype: str, problems: dict[str, str]) -> None:
        self._built, self._dtype, self._problems = built, dtype, problems

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._built, name)
        if name not in WATCHED:
            return method

        def call(*arguments: Any) -> Any:
            given = copy.deepcopy(arguments)  # what a call writes there spoils no later one
            result = method(*given)
            pairs = zip(_arrays(arguments), _arrays(given), strict=True)
            if not all(np.array_equal(before, after) for (_, before), (_, after) in pairs):
                self._problems[f"`{name}` writes into its input"] = INPUT
            for array, value in _arrays(result):
                if value.dtype != self._dtype:
                    self._problems[f"`{name}` returns {array} in {value.dtype}, not in {self._dtype}"] = array
            return result

        return call


class Used(NamedTuple):
    """What was done, what is wrong with it, by how much, and at which layer."""

    what: str
    problem: str | None
    error: float | None = None
    allowance: float | None = None
    layer: str = ""


def with_other_arrays(
    case: Case, built: Trained, x: np.ndarray, y: np.ndarray, allowance: np.ndarray
) -> Iterator[Used]:
    """The output with the arrays of the next seed, after the block ran with those of the case; they are put back."""
    built.load(randomised(case.spec, case.seed + 1))
    try:
        found = compare(built.forward(x), y, allowance)
    finally:
        built.load(randomised(case.spec, case.seed))
    yield Used("with other arrays", *found)


def after_training(case: Case, built: Trained, training: Training) -> Iterator[Used]:
    """The output of a trained block, with the arrays it then holds; and in training once more, from the first ones."""
    (x, _), spec, held = training.batches[0], without_dropout(case.spec), built.params()
    values = reference.run(spec, held, x)
    allowed, output = rounding.allowances(spec, held, values, case.dtype), spec.nodes[-1].name
    yield Used("evaluated after training", *compare(built.forward(x), values[output], allowed[output]))
    built.load(randomised(case.spec, case.seed))
    right, allowed = training.one_pass.exact["output"], training.one_pass.allowed["output"]
    yield Used("trained after evaluation", *compare(built.forward_train(x), right, allowed))


def dropouts(case: Case, built: Trained) -> Iterator[Used]:
    """Each dropout that drops, and what is wrong with it in training: that calls are all alike and, where a linear
    layer reads it, the share of zeros and the scale of what is left.
    """
    (x, dy), spec = batches(case)[0], without_dropout(case.spec)
    for number, node in enumerate(case.spec.nodes):
        if not isinstance(node.layer, Dropout) or not node.layer.rate:
            continue
        names = [earlier.name for earlier in spec.nodes[:number]]
        before = replace(spec, nodes=spec.nodes[: names.index(node.inputs[0]) + 1])
        right = kept(Values, ("dropped", case, node.name), lambda before=before: _output(case, before, x))
        exact, allowed = right.exact["output"], right.allowed["output"]
        visible = np.abs(exact) > allowed  # of the others it cannot be seen whether they were dropped
        problem, linear = _constant(built, x, node.layer.rate, int(visible.sum())), _reader(case.spec, node.name)
        if not problem and linear:
            samples = [call % len(x) for call in range(CALLS)]
            given = np.stack([_read(built, x, dy, sample, linear) for sample in samples])
            # Beside the value, its scale, two gradients and their quotient are rounded.
            allowed = allowed + 4 * UNIT_ROUNDOFF[case.dtype] * np.abs(exact)
            parts = [part.reshape(len(x), -1)[samples] for part in (visible, exact, allowed)]
            problem = _share(given, *parts, rate=node.layer.rate)
        yield Used(f"`{node.name}`", problem, layer=node.name if problem else "")


def _output(case: Case, spec: BlockSpec, x: np.ndarray) -> Values:
    dy = np.zeros(spec.output_shape(case.input_shape))
    return Values(*training_rounding.one_pass(spec, randomised(case.spec, case.seed), x, dy, case.dtype))


def _constant(built: Trained, x: np.ndarray, rate: float, count: int) -> str | None:
    """That calls in training are all alike, unless by chance: each value is dropped in all calls, or in none."""
    by_chance = count * math.log(rate**CALLS + (1 - rate) ** CALLS)
    first, *others = (built.forward_train(x) for _ in range(CALLS))
    if by_chance > math.log(FALSE_ALARM) or not all(np.array_equal(first, other) for other in others):
        return None
    return f"{CALLS} calls in training give the same output, so nothing is dropped at random"


def _reader(spec: BlockSpec, name: str) -> str | None:
    """The linear layer that reads a node, flattened or not."""
    for node in spec.nodes:
        if name in node.inputs:
            if isinstance(node.layer, Flatten):
                return _reader(spec, node.name)
            return node.name if isinstance(node.layer, Linear) else None
    return None


def _read(built: Trained, x: np.ndarray, dy: np.ndarray, sample: int, linear: str) -> np.ndarray:
    """What a linear layer read of one sample in training: the gradient of its weight, over that of its bias."""
    alone = np.zeros_like(dy)
    alone[sample] = dy[sample]
    found = built.gradients(x, alone)
    weight, bias = (found[f"{linear}.{leaf}"].astype(np.float64) for leaf in ("weight", "bias"))
    row = int(np.argmax(np.abs(bias)))
    return np.divide(weight[row], bias[row], out=np.zeros_like(weight[row]), where=bias[row] != 0)


def _share(given: np.ndarray, visible: np.ndarray, exact: np.ndarray, allowed: np.ndarray, rate: float) -> str | None:
    """What is wrong with the share of zeros in what is given, or with the scale of the rest.

    The share may be off by what has the probability FALSE_ALARM (Hoeffding, 1963, doi:10.1080/01621459.1963.10500830).
    """
    zeros, count = int((given[visible] == 0).sum()), int(visible.sum())
    reach = math.sqrt(count * math.log(2 / FALSE_ALARM) / 2)
    if abs(zeros - count * rate) > reach:
        low, high = max(0, math.ceil(count * rate - reach)), min(count, math.floor(count * rate + reach))
        return f"{zeros} of {count} values are 0 in training; at rate {rate:g} it should be {low} to {high}"
    left = visible & (given != 0)
    error = np.abs(given * (1 - rate) - exact)
    if (error <= allowed)[left].all():
        return None
    scale = float(np.median(given[left] / exact[left]))
    return f"what is not dropped is multiplied by {scale:.4g}; at rate {rate:g} it should be by {1 / (1 - rate):.4g}"
