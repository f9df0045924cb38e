"""Puts a mistake into a backend on purpose: the check must catch each, at its level and layer.

The framework runs its usual code for the wrong block. Most mistakes are a block built from a wrong spec (a padding, an
epsilon, two layers in the wrong order), or arrays that are stored in the wrong layout and read back by the same
mistake. The others are layers of `common.faults.layers`, an optimiser written by hand, or an edit of a block's text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from common.check import training, use
from common.check.judge import Expectation, check
from common.oracle.optimisers import Optimiser
from common.protocols import Backend, Trained
from common.results.record import FaultResult
from common.spec import BlockSpec
from common.spec.catalogue import Case
from common.spec.differences import Difference
from common.spec.params import Arrays

Update = Callable[[Arrays, Arrays], Arrays]  # (params, gradients) -> params; it keeps its moments


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Fault:
    """One mistake in one block, the lowest level that must catch it, and the layer at which that must begin.

    ``spec`` makes the wrong spec from the right one; ``stored`` the arrays that are loaded from the right ones, and
    ``returned`` those that are read back; ``update`` makes an optimiser that replaces the framework's. One that is
    ``written`` is in the text of each framework's hand-written block: see `common.faults.edits`.
    """

    id: str
    mistake: str
    case: Case
    level: str
    layer: str
    spec: Callable[[BlockSpec], BlockSpec] = _same
    stored: Callable[[Arrays], Arrays] = _same
    returned: Callable[[Arrays], Arrays] = _same
    update: Callable[[Optimiser], Update] | None = None
    written: bool = False


@dataclass(frozen=True)
class Faulty:
    """A backend with a fault in it."""

    backend: Backend
    fault: Fault

    @property
    def NAME(self) -> str:  # noqa: N802 - a module's constant
        return self.backend.NAME

    @property
    def DIFFERENCES(self) -> tuple[Difference, ...]:  # noqa: N802 - a module's constant
        return self.backend.DIFFERENCES

    def environment(self) -> dict[str, str]:
        return self.backend.environment()

    def devices(self) -> tuple[str, ...]:
        return self.backend.devices()

    def build(self, spec: BlockSpec, params: Arrays, **options: Any) -> "FaultyBlock":
        wrong = self.fault.spec(spec)
        arrays = _fitted(wrong, self.fault.stored(params))
        return FaultyBlock(self.backend.build(wrong, arrays, **options), wrong, self.fault)


def _fitted(spec: BlockSpec, params: Arrays) -> Arrays:
    """The arrays that the wrong spec asks for; zeros if ``params`` does not have them."""
    return {param.name: params.get(param.name, np.zeros(param.shape, np.float32)) for param in spec.params()}


class FaultyBlock:
    """A built block with a fault in it."""

    def __init__(self, built: Trained, spec: BlockSpec, fault: Fault) -> None:
        self._built, self._spec, self._fault = built, spec, fault
        self.native, self.device = built.native, built.device
        self.forward, self.forward_train = built.forward, built.forward_train
        self.trainable, self.trace, self.timed, self.fit = built.trainable, built.trace, built.timed, built.fit

    def load(self, params: Arrays) -> None:
        self._built.load(_fitted(self._spec, self._fault.stored(params)))

    def params(self) -> Arrays:
        return self._fault.returned(self._built.params())

    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        return self._fault.returned(self._built.gradients(x, dy))

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        if self._fault.update is None:
            return [self._fault.returned(state) for state in self._built.trajectory(batches, optimiser)]
        update, states = self._fault.update(optimiser), []
        for x, dy in batches:
            gradients = self._built.gradients(x, dy)
            self._built.load(update(self._built.params(), gradients))
            states.append(self._built.params())
        return states


def run(fault: Fault, backend: Backend, expectation: Expectation) -> FaultResult:
    """Checks the case with the fault in the backend: the first level that fails, and the layer that it names."""
    failed = (result for result in check(fault.case, Faulty(backend, fault), expectation) if not result.passed)
    first = next(failed, None)
    failure = (first.level, first.layer, first.message) if first else ("", "", "every level agrees")
    return FaultResult(fault.id, fault.mistake, backend.NAME, fault.level, fault.layer, *failure)


def needed(fault: Fault, expectation: Expectation) -> Expectation:
    """The expectation, without training if an earlier level must catch the fault: a later one would not count."""
    return expectation if fault.level in (*training.LEVELS, use.LEVEL) else replace(expectation, training=None)
