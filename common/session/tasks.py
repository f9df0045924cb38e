"""What is timed, and what must come out of it: a case in one mode, with its arrays and the reference's answer."""

import math
from dataclasses import dataclass

import numpy as np

from common.check.comparison import Values
from common.check.judge import expect
from common.config import MODES, Config
from common.layers.values import storable
from common.names import first_line, known
from common.oracle import training_rounding
from common.oracle.backprop import without_dropout
from common.oracle.optimisers import SGD
from common.processes import machine
from common.processes.pool import WorkerFailed
from common.results.record import Unavailable
from common.spec import BlockSpec, inputs
from common.spec.catalogue import Case
from common.spec.costs import cost
from common.spec.params import Arrays, randomised


@dataclass(frozen=True)
class Experiment:
    """A case in one mode, and the configurations that take turns at it."""

    case: Case
    mode: str
    configs: tuple[Config, ...]

    @property
    def group(self) -> tuple[str, str, str]:
        return self.case.id, self.mode, self.case.dtype

    @property
    def title(self) -> str:
        """``conv_stack-c3``, with the mode and dtype unless they are the usual ones."""
        words = [word for word in (self.mode, self.case.dtype) if word not in ("forward", "float32")]
        return " ".join([self.case.id, *words])

    def lost(self, config: Config, stage: str, error: WorkerFailed) -> Unavailable:
        return Unavailable(config.backend, self.case.id, stage, str(error), *self.group[1:], config, error.died)


@dataclass(frozen=True)
class Task:
    """Everything a worker needs to be timed and checked."""

    spec: BlockSpec
    dtype: str
    mode: str
    params: Arrays
    x: np.ndarray
    dy: np.ndarray | None
    right: Values


class TooLarge(MemoryError):
    """A case that does not fit into memory; the message says how large it is."""


def least_memory(case: Case) -> int:
    """Bytes that the reference takes at least: every value and its allowance in float64."""
    sizes = cost(case.spec, case.input_shape, itemsize=8)
    return sizes.weight_bytes + 2 * (8 * math.prod(case.input_shape) + sizes.activation_bytes)


def task(case: Case, mode: str) -> Task:
    """Runs the reference on a case; in training with dropout at rate 0.

    Raises:
        TooLarge: for a case that cannot fit into memory, before anything is computed, and for one that did not.
        UnknownName: for a mode that does not exist.
        ValueError: for training in a dtype that only inference is run in.
    """
    known("mode", mode, MODES)
    if reason := machine.lacking(least_memory(case)):
        raise TooLarge(reason)
    try:
        return _task(case, mode)
    except MemoryError as error:
        raise TooLarge(first_line(error)) from None


def _task(case: Case, mode: str) -> Task:
    if mode == "forward":
        expected = expect(case, "photograph" if case.spec.in_channels == 3 else "random")
        right = Values({"output": expected.y}, {"output": expected.allowance})
        params = storable(randomised(case.spec, case.seed), case.dtype)
        return Task(case.spec, case.dtype, mode, params, expected.x, None, right)
    if case.dtype == "bfloat16":
        raise ValueError("bfloat16 is timed forward only: nobody trains with weights and norms of eight bits")
    spec, params = without_dropout(case.spec), randomised(case.spec, case.seed)
    x = inputs.make("random", case.input_shape, case.seed)
    dy = inputs.make("random", spec.output_shape(case.input_shape), case.seed + 1)
    if mode == "gradients":
        right = Values(*training_rounding.one_pass(spec, params, x, dy, case.dtype))
    else:
        (exact,), (allowed,) = training_rounding.steps(spec, params, [(x, dy)], SGD(), case.dtype)
        trained = [param.name for param in spec.params() if param.trainable]
        right = Values({name: exact[name] for name in trained}, {name: allowed[name] for name in trained})
    return Task(spec, case.dtype, mode, params, x, dy, right)
