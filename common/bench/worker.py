"""The child process: one backend, alone, answering requests over a pipe until the pipe closes.

Started by `common.bench.pool` as ``python -P -m common.bench.worker MODULE FD THREADS FIRST``, with the thread settings
in its environment, since most frameworks read them once, at import.
"""

import ctypes
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import cast

import numpy as np

from common.catalogue import Case
from common.check import Expectation, Expected, check, first_line
from common.comparison import compare
from common.digits import Batch
from common.divergence import trace
from common.faults import injection
from common.faults.catalogue import FAULTS
from common.optimisers import Optimiser
from common.params import Arrays, randomised
from common.protocols import Backend, BuiltBlock
from common.results import CheckResult, FaultResult, LayerRow
from common.spec import BlockSpec


class Session:
    """What can be asked of a worker; every public method is a request."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._backend = cast(Backend, importlib.import_module(module))
        self._runners: dict[str, Callable[[], None]] = {}
        self._trained: dict[tuple[BlockSpec, str], BuiltBlock] = {}

    def environment(self) -> dict[str, str]:
        return {**self._backend.environment(), "devices": ", ".join(self._backend.devices())}

    def check(self, case: Case, expected: Expectation) -> list[CheckResult]:
        return check(case, self._backend, expected)

    def trace(self, case: Case) -> list[LayerRow]:
        return trace(case, self._backend, case.trained)

    def selftest(self, fault: str, expected: Expectation) -> FaultResult:
        """Puts a fault of the catalogue into the backend, and checks it."""
        importlib.import_module(f"{self._module}.faults")
        return injection.run(next(item for item in FAULTS if item.id == fault), self._backend, expected)

    def verify(self, spec: BlockSpec, arrays: Arrays, dtype: str, expected: Expected) -> str | None:
        """What is wrong with the block that holds these arrays: they read back otherwise, or its output is off."""
        # As it is run, not `strict`: what is asked is whether these weights work there.
        built = self._backend.build(spec, arrays, dtype=dtype)
        held = built.params()
        for name, array in arrays.items():
            if held[name].tobytes() != array.astype(dtype).tobytes():
                return f"`{name}` reads back as other numbers"
        return compare(built.forward(expected.x), expected.y, expected.allowance)[0]

    def prepare(self, case: Case, expected: Expected) -> tuple[float, float, str]:
        """Builds the case and runs it once: seconds to build, seconds of the first call, the device.

        Raises:
            ValueError: if what would be timed is not the block.
        """
        self._runners.clear()
        start = time.perf_counter()
        built = self._backend.build(case.spec, randomised(case.spec, case.seed), dtype=case.dtype)
        run = built.runner(expected.x)
        built_at = time.perf_counter()
        run()
        called_at = time.perf_counter()
        problem, _, _ = compare(built.forward(expected.x), expected.y, expected.allowance)
        if problem:
            raise ValueError(f"not timed, because its output is wrong: {problem}")
        self._runners[case.id] = run
        return built_at - start, called_at - built_at, self._backend.devices()[0]

    def sample(self, case_id: str, warm: int, calls: int) -> tuple[float, float]:
        """Wall and processor seconds a call, over ``calls`` calls after ``warm`` that are not counted."""
        run = self._runners[case_id]
        for _ in range(warm):
            run()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(calls):
            run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return wall / calls, cpu / calls

    def fit(
        self,
        spec: BlockSpec,
        params: Arrays,
        batches: Sequence[Batch],
        optimiser: Optimiser,
        x: np.ndarray,
        dtype: str = "float32",
    ) -> tuple[np.ndarray, np.ndarray]:
        """The loss at each step of training from ``params``, and then the logits of ``x`` in evaluation mode.

        In float64 the backend is made to follow the spec exactly.
        """
        if (spec, dtype) not in self._trained:  # built once for all seeds, and so compiled once
            self._trained[spec, dtype] = self._backend.build(spec, params, dtype=dtype, strict=dtype == "float64")
        built = self._trained[spec, dtype]
        built.load(params)
        return built.fit(batches, optimiser), built.forward(x)


def serve(make: Callable[[], object], descriptor: str, threads: str, first: str) -> None:
    """Answers requests by the methods of what ``make`` gives, which is made at the first of them.

    A request that raises is answered with the error, and the next one is served.
    """
    if sys.platform == "linux":  # a parent that is killed takes its workers with it, even stopped ones
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if hasattr(os, "sched_setaffinity"):  # not on macOS
        ours = sorted(os.sched_getaffinity(0))
        start = int(first) % len(ours)
        os.sched_setaffinity(0, (ours[start:] + ours[:start])[: int(threads)])
    connection = Connection(int(descriptor))
    session: object = None
    while True:
        try:
            request, arguments = connection.recv()
        except EOFError:  # the parent is gone
            return
        try:
            session = session or make()
            connection.send((True, getattr(session, request)(*arguments)))
        except Exception as error:
            connection.send((False, first_line(error)))


if __name__ == "__main__":
    serve(lambda: Session(sys.argv[1]), *sys.argv[2:])
