"""The levels of `common.check` that train: outputs, gradients, running statistics, and steps of optimisers.

Blocks are trained with dropout at rate 0, since its mask is random in every framework.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from common import inputs, training_tolerances
from common.backprop import OPTIMISERS, without_dropout
from common.catalogue import Case
from common.differences import Difference
from common.params import Arrays, randomised
from common.protocols import Backend
from common.spec import BlockSpec

LEVELS = ("forward_train", "gradients", "buffers", "trajectory")
STEPS = 3
Batches = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Values:
    """Named arrays of the reference and how far each of their elements may be off."""

    exact: Arrays
    allowed: Arrays


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


def _steps(spec: BlockSpec, params: Arrays, given: Batches, optimiser: object, dtype: str) -> list[Values]:
    exact, allowed = training_tolerances.steps(spec, params, given, optimiser, dtype)  # type: ignore[arg-type]
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
        Values(*training_tolerances.one_pass(spec, params, *given[0], case.dtype)),
        statistics_only(spec, params, given, case.dtype),
        tuple(_steps(spec, params, given, optimiser, case.dtype) for optimiser in OPTIMISERS),
    )


def differing(case: Case, training: Training, differences: tuple[Difference, ...]) -> Training:
    """The same, following a framework's declared differences, which lie in what is kept from step to step."""
    spec, params = without_dropout(case.spec), randomised(case.spec, case.seed)
    for difference in differences:
        spec = difference.apply(spec)
    buffers = statistics_only(spec, params, training.batches, case.dtype)
    runs = tuple(_steps(spec, params, training.batches, optimiser, case.dtype) for optimiser in OPTIMISERS)
    return replace(training, buffers=buffers, trajectories=runs)


def observe(
    case: Case, backend: Backend, training: Training, strict: bool
) -> Iterator[tuple[str, str, Arrays, Values]]:
    """Level, what it is of, what the backend gives, and what it should be; each from the same initial arrays."""
    spec, params = without_dropout(case.spec), randomised(case.spec, case.seed)
    built, one = backend.build(spec, params, dtype=case.dtype, strict=strict), training.one_pass
    x, dy = training.batches[0]
    output = Values({"output": one.exact["output"]}, {"output": one.allowed["output"]})
    yield "forward_train", "", {"output": built.forward_train(x)}, output
    names = one.exact.keys() - {"output"}
    gradients = Values({name: one.exact[name] for name in names}, {name: one.allowed[name] for name in names})
    for later, _ in training.batches[1:]:
        built.forward_train(later)
    held = built.params()
    yield (
        "buffers",
        f"after {STEPS} passes",
        {name: held[name] for name in training.buffers.exact if name in held},
        training.buffers,
    )
    built.load(params)
    yield "gradients", "", built.gradients(x, dy), gradients
    for optimiser, steps in zip(OPTIMISERS, training.trajectories, strict=True):
        built.load(params)
        states = built.trajectory(training.batches, optimiser)
        for number, (state, values) in enumerate(zip(states, steps, strict=True), 1):
            yield "trajectory", f"{type(optimiser).__name__}, step {number}", state, values
