"""The levels of `common.check.judge` that train: outputs, gradients, running statistics, and steps of optimisers.

Blocks are trained with dropout at rate 0, since its mask is random in every framework.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from common.check.cache import kept
from common.check.comparison import Values
from common.oracle import training_rounding
from common.oracle.backprop import without_dropout
from common.oracle.optimisers import OPTIMISERS, Optimiser
from common.protocols import Backend
from common.spec import BlockSpec, inputs
from common.spec.catalogue import Case
from common.spec.differences import Difference
from common.spec.params import Arrays, randomised

LEVELS = ("forward_train", "gradients", "buffers", "trajectory")
STEPS = 3
HIDDEN = 0.01  # of an array, or of what a step changes in it: a larger allowance could hide a mistake
ZERO = 1e-9  # of the largest gradient: what is smaller is 0 but for float64's rounding, as of a bias before a norm
Batches = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Training:
    """What the reference says of training a case; ``trajectories`` has a list of steps for each optimiser."""

    batches: Batches
    one_pass: Values
    buffers: Values
    trajectories: tuple[list[Values], ...]


def batches(case: Case) -> Batches:
    """STEPS pairs of random input and output cotangent, float32."""
    shape = case.spec.output_shape(case.input_shape)
    seeds = range(case.seed, case.seed + 2 * STEPS, 2)
    return [(inputs.make("random", case.input_shape, s), inputs.make("random", shape, s + 1)) for s in seeds]


def _steps(spec: BlockSpec, params: Arrays, given: Batches, optimiser: Optimiser | None, dtype: str) -> list[Values]:
    exact, allowed = training_rounding.steps(spec, params, given, optimiser, dtype)
    return [Values(*pair) for pair in zip(exact, allowed, strict=True)]


def statistics_only(spec: BlockSpec, params: Arrays, given: Batches, dtype: str) -> Values:
    """Running statistics after training passes on all batches without an optimiser."""
    last = _steps(spec, params, given, None, dtype)[-1]
    names = [param.name for param in spec.params() if not param.trainable]
    return Values({name: last.exact[name] for name in names}, {name: last.allowed[name] for name in names})


def expect_training(case: Case) -> Training:
    """Trains the reference on a case."""
    spec, params, given = without_dropout(case.spec), randomised(case.spec, case.seed), batches(case)
    return Training(
        given,
        Values(*training_rounding.one_pass(spec, params, *given[0], case.dtype)),
        statistics_only(spec, params, given, case.dtype),
        tuple(_steps(spec, params, given, optimiser, case.dtype) for optimiser in OPTIMISERS),
    )


def differing(case: Case, training: Training, difference: Difference) -> Training:
    """The same, with the arrays of the difference's role following its relation at its levels."""
    return kept(Training, (case, difference), lambda: _differing(case, training, difference))


def _differing(case: Case, training: Training, difference: Difference) -> Training:
    spec, params = without_dropout(case.spec), randomised(case.spec, case.seed)
    names = {param.name for param in spec.params() if param.role == difference.role}
    spec = difference.apply(spec)

    def merged(plain: Values, other: Values) -> Values:
        exact = {name: (other if name in names else plain).exact[name] for name in plain.exact}
        return Values(exact, {name: (other if name in names else plain).allowed[name] for name in plain.allowed})

    if "buffers" in difference.levels:
        buffers = merged(training.buffers, statistics_only(spec, params, training.batches, case.dtype))
        training = replace(training, buffers=buffers)
    if "trajectory" in difference.levels:
        runs = (_steps(spec, params, training.batches, optimiser, case.dtype) for optimiser in OPTIMISERS)
        pairs = zip(training.trajectories, runs, strict=True)
        trajectories = tuple([merged(*steps) for steps in zip(plain, run, strict=True)] for plain, run in pairs)
        training = replace(training, trajectories=trajectories)
    return training


def expected(training: Training) -> list[tuple[str, str, Values]]:
    """Level, what it is of, and the values, in the order of `observe`; no `buffers` for a block that has none."""
    one, last = training.one_pass, f"after {STEPS} passes"
    names = [name for name in one.exact if name != "output"]
    output = Values({"output": one.exact["output"]}, {"output": one.allowed["output"]})
    gradients = Values({name: one.exact[name] for name in names}, {name: one.allowed[name] for name in names})
    return [
        ("forward_train", "", output),
        *([("buffers", last, training.buffers)] if training.buffers.exact else []),
        ("gradients", "", gradients),
        *(
            ("trajectory", f"{type(optimiser).__name__}, step {number}", values)
            for optimiser, steps in zip(OPTIMISERS, training.trajectories, strict=True)
            for number, values in enumerate(steps, 1)
        ),
    ]


def hidden(case: Case, training: Training) -> Iterator[tuple[str, str, list[str]]]:
    """Level, what it is of, and the arrays whose allowance is more than HIDDEN of their size; nothing for a sound case.

    Sizes are root mean squares. Where a step or a pass renews an array, its size is that of the change: else a step
    that is left out would pass. An array whose gradient is zero hardly changes: there it is the array's own size, and
    that of the largest gradient for its gradient.
    """
    start = {name: array.astype(np.float64) for name, array in randomised(case.spec, case.seed).items()}
    gradients = {name: _size(exact) for name, exact in training.one_pass.exact.items() if name != "output"}
    largest = max(gradients.values())
    zero = {name for name, size in gradients.items() if size < ZERO * largest}
    before: Arrays = {}
    for level, what, values in expected(training):
        if level in ("forward_train", "gradients"):
            before = {}
        elif level == "buffers" or what.endswith("step 1"):
            before = start
        sizes = {n: _size(exact - (0.0 if n in zero else before.get(n, 0.0))) for n, exact in values.exact.items()}
        if level == "gradients":
            sizes |= dict.fromkeys(zero, largest)
        if names := [name for name, size in sizes.items() if not _size(values.allowed[name]) <= HIDDEN * size]:
            yield level, what, names
        before = values.exact


def _size(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array))))


def observe(case: Case, backend: Backend, training: Training, strict: bool) -> Iterator[Arrays]:
    """What the backend gives for each item of `expected`, always from the same initial arrays."""
    spec, params = without_dropout(case.spec), randomised(case.spec, case.seed)
    built = backend.build(spec, params, dtype=case.dtype, strict=strict)
    x, dy = training.batches[0]
    yield {"output": built.forward_train(x)}
    for later, _ in training.batches[1:]:
        built.forward_train(later)
    if training.buffers.exact:
        held = built.params()
        yield {name: held[name] for name in training.buffers.exact if name in held}
    built.load(params)
    yield built.gradients(x, dy)
    for optimiser in OPTIMISERS:
        built.load(params)
        yield from built.trajectory(training.batches, optimiser)
