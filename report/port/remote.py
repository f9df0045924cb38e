"""A live module in a process of its own."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from common.layers.values import Shape
from common.port.live import Cotangents, Nature, Observed
from common.port.weights import PortError
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.processes.serve import serve
from common.spec.params import Arrays
from convparity.packages import OURS
from report.port.isolated import Isolated
from report.port.targets import Loaded, parse

Say = Callable[[str], object]


def silent(text: str) -> None:
    """Says nothing."""


class Session:
    """The requests that the process of one module answers."""

    def __init__(self, target: str) -> None:
        self._loaded = Loaded(parse(target))

    def framework(self) -> tuple[str, tuple[str, ...]]:
        loaded = self._loaded
        assert loaded.framework is not None
        self._live = Isolated(loaded.native, loaded.framework, loaded.packages)
        return loaded.framework, self._live.layouts

    def open(self, shapes: Sequence[Shape], alone: bool, layout: str) -> Nature:
        self._live.open(shapes, alone, layout)
        return self._live.nature

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None, loose: int | None
    ) -> tuple[Observed, list[str]]:
        return self._live.observe(arrays, xs, dys, loose), self._live.notes

    def arrays(self, state: Arrays | None) -> Arrays:
        return self._live.arrays(state)

    def native(self, arrays: Arrays) -> Arrays:
        return self._live.native(arrays)


class Remote:
    """A live module in a process of its own."""

    def __init__(self, target: str, say: Say = silent) -> None:
        self.notes: list[str] = []
        self._say, self._passes = say, 0
        self._target, self._where = target, parse(target).where
        self._worker = Worker(target, target, machine.processors(), entry="report.port.remote")

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except WorkerFailed as error:
            reason = str(error).removeprefix("PortError: ")
            raise PortError(reason if self._where in reason else f"{self._target}: {reason}") from None

    def _ask(self, request: str, *arguments: Any) -> Any:
        with self._named():
            return self._worker.ask(request, *arguments)

    def start(self) -> None:
        """Asks the process for the module; `wait` waits for the answer."""
        with self._named():
            self._worker.post("framework")

    def wait(self) -> str:
        """The module's framework, once the process has the module."""
        with self._named():
            framework, self.layouts = self._worker.collect()
        return framework

    def open(self, shapes: Sequence[Shape], alone: bool, layout: str) -> None:
        """Makes the copy that is run."""
        self.nature: Nature = self._ask("open", shapes, alone, layout)
        self.notes = []

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        self._passes += 1
        self._say(f"{self._target}: pass {self._passes}, in {'training' if dys else 'evaluation'}")
        observed, self.notes = self._ask("observe", arrays, xs, dys, loose)
        return observed

    def arrays(self, state: Arrays | None = None) -> Arrays:
        return self._ask("arrays", state)

    def native(self, arrays: Arrays) -> Arrays:
        return self._ask("native", arrays)

    def stop(self) -> None:
        self._worker.stop()


if __name__ == "__main__":
    with OURS:
        serve(lambda: Session(sys.argv[1]), *sys.argv[2:])
