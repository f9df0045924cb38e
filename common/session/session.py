"""The child process: one backend, alone, answering requests over a pipe until the pipe closes.

Started by `common.processes.pool` as ``python -P -m common.session.session MODULE FD THREADS FIRST``, with the thread
settings in its environment, since most frameworks read them once, at import.
"""

import gc
import importlib
import sys
import time
from collections.abc import Sequence
from typing import cast

import numpy as np

from common.check.comparison import compare, compare_all
from common.check.divergence import trace
from common.check.judge import Expectation, Expected, examine
from common.config import Config, NotAvailable
from common.faults import edits, injection
from common.faults.mistakes import FAULTS
from common.oracle.digits import Batch
from common.oracle.optimisers import Optimiser
from common.processes import machine
from common.processes.serve import serve
from common.protocols import Backend, Timed, Trained, as_variant
from common.results.record import CheckResult, FaultResult, LayerRow, Unavailable
from common.session.tasks import Task
from common.spec import BlockSpec
from common.spec.catalogue import Case
from common.spec.params import Arrays


class Session:
    """What can be asked of a worker; every public method is a request."""

    def __init__(self, module: str) -> None:
        self._backend = cast(Backend, importlib.import_module(module))
        self._timed: Timed | None = None
        self._task: Task | None = None
        self._trained: dict[tuple[BlockSpec, str, str], Trained] = {}

    def environment(self) -> dict[str, str]:
        return {**self._backend.environment(), "devices": ", ".join(self._backend.devices())}

    def check(
        self, case: Case, expected: Expectation, variant: str = "reference", device: str = ""
    ) -> tuple[list[CheckResult], list[Unavailable]]:
        """See `common.check.judge.examine`."""
        return examine(case, as_variant(self._backend, variant, device), expected)

    def trace(self, case: Case, variant: str = "reference", device: str = "") -> list[LayerRow]:
        return trace(case, as_variant(self._backend, variant, device), case.trained)

    def selftest(self, faults: str, name: str, expected: Expectation, device: str = "") -> FaultResult:
        """Puts a fault of the catalogue into the backend, whose wrong layers are in module ``faults``, and checks it.

        Raises:
            NotAvailable: if the levels that must catch it are not run, because the backend has inference alone.
        """
        layers = importlib.import_module(faults)
        backend, fault = as_variant(self._backend, device=device), next(item for item in FAULTS if item.id == name)
        with edits.applied(fault, layers) as fault:
            result = injection.run(fault, backend, expected)
        if not result.level:  # nothing failed: were all levels run?
            for item in examine(fault.case, backend, expected)[1]:
                raise NotAvailable(item.reason)
        return result

    def verify(self, spec: BlockSpec, arrays: Arrays, dtype: str, expected: Expected) -> str | None:
        """What is wrong with the block that holds these arrays: they read back otherwise, or its output is off."""
        # As it is run, not `strict`: what is asked is whether these weights work there.
        built = self._backend.build(spec, arrays, dtype=dtype)
        held = built.params()
        for name, array in arrays.items():
            if held[name].tobytes() != array.astype(dtype).tobytes():
                return f"`{name}` reads back as other numbers"
        return compare(built.forward(expected.x), expected.y, expected.allowance)[0]

    def prepare(self, task: Task, config: Config) -> tuple[float, float, str]:
        """Builds the task and calls it once: seconds to build, seconds of the first call, the device.

        Raises:
            ValueError: if what would be timed is not the block.
        """
        self._timed, self._task = None, task
        start = time.perf_counter()
        backend = as_variant(self._backend, config.variant, config.device)
        built = backend.build(task.spec, task.params, dtype=task.dtype, strict=task.dtype == "float64")
        timed = built.timed(task.mode, task.x, task.dy, config.form, config.layout)
        built_at = time.perf_counter()
        timed.call()
        called_at = time.perf_counter()
        self._timed = timed
        if problem := self.wrong():
            raise ValueError(f"not timed, because it is wrong: {problem}")
        return built_at - start, called_at - built_at, built.device

    def wrong(self) -> str | None:
        """What is wrong with the result of a call from the initial arrays."""
        timed, task = self._ready
        timed.restore()
        timed.call()
        return compare_all(timed.result(), task.right)[0].problem

    @property
    def _ready(self) -> tuple[Timed, Task]:
        if self._timed is None or self._task is None:
            raise ValueError("nothing was prepared")
        return self._timed, self._task

    def sample(self, warm: int, calls: int) -> machine.Sample:
        """Times ``calls`` calls after ``warm`` that are not counted."""
        timed, _ = self._ready
        timed.restore()
        return machine.sample(timed.call, warm, calls)

    def memory(self) -> tuple[int, int | None]:
        """Bytes that one call takes beyond what the process held before, and what the framework says: `MemoryUse`.

        Raises:
            ValueError: where the system does not tell.
        """
        timed, _ = self._ready
        timed.restore()
        gc.collect()
        return machine.peak_of(timed.call), timed.planned()

    def fit(
        self,
        spec: BlockSpec,
        params: Arrays,
        batches: Sequence[Batch],
        optimiser: Optimiser,
        x: np.ndarray,
        dtype: str = "float32",
        device: str = "",
    ) -> tuple[np.ndarray, np.ndarray]:
        """The loss at each step of training from ``params``, and then the logits of ``x`` in evaluation mode.

        In float64 the backend is made to follow the spec exactly.
        """
        key = spec, dtype, device
        if key not in self._trained:  # built once for all seeds, and so compiled once
            backend = as_variant(self._backend, device=device)
            self._trained[key] = backend.build(spec, params, dtype=dtype, strict=dtype == "float64")
        built = self._trained[key]
        built.load(params)
        return built.fit(batches, optimiser), built.forward(x)


if __name__ == "__main__":
    serve(lambda: Session(sys.argv[1]), *sys.argv[2:])
