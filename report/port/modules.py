"""Two live modules of any frameworks: each in a process of its own, or both in the process of a test."""

import contextlib
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

import frameworks
from common.layers.values import Shape
from common.names import spelled
from common.port.alignment import NameMap
from common.port.live import Comparison, Observed, compare_live
from common.port.weights import PortError
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.processes.serve import serve
from common.spec.params import Arrays, Shapes
from convparity.packages import OURS, PROGRAM, Packages
from report.port.targets import Loaded, parse

MOST_VALUES = 2**28  # of an input: it is compared in float64, with its gradient


class Isolated:
    """A live module whose code sees its own project's packages when it runs."""

    def __init__(self, native: Any, framework: str, packages: Packages, shape: Shape, alone: bool) -> None:
        if reason := frameworks.missing(framework):
            raise PortError(reason)
        module = frameworks.part(framework, "live")
        self._packages = packages
        with packages:
            self._live = module.Live(native, shape, alone)
        self.framework, self.precision, self.notes = framework, self._live.precision, self._live.notes

    def shapes(self) -> Shapes:
        return self._live.shapes()

    def arrays(self) -> Arrays:
        return self._live.arrays()

    def native(self, arrays: Arrays) -> Arrays:
        return self._live.native(arrays)

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        with self._packages:
            return self._live.observe(arrays, x, dy)


class Session:
    """The requests that the process of one module answers."""

    def __init__(self, target: str) -> None:
        self._loaded = Loaded(parse(target))

    def framework(self) -> str | None:
        return self._loaded.framework

    def open(self, shape: Shape, alone: bool) -> tuple[float, Shapes]:
        loaded = self._loaded
        assert loaded.framework is not None
        self._live = Isolated(loaded.native, loaded.framework, loaded.packages, shape, alone)
        return self._live.precision, dict(self._live.shapes())

    def arrays(self) -> Arrays:
        return self._live.arrays()

    def native(self, arrays: Arrays) -> Arrays:
        return self._live.native(arrays)

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None) -> tuple[Observed, list[str]]:
        return self._live.observe(arrays, x, dy), self._live.notes


class Remote:
    """A live module in a process of its own."""

    def __init__(self, target: str) -> None:
        self.notes: list[str] = []
        self._target, self._where = target, parse(target).where
        self._worker = Worker(target, target, machine.processors(), entry="report.port.modules")

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
            self.framework: str = self._worker.collect()
        return self.framework

    def open(self, shape: Shape, alone: bool) -> None:
        """Makes the copy that is run."""
        self.precision, self._shapes = self._ask("open", shape, alone)

    def shapes(self) -> Shapes:
        return self._shapes

    def arrays(self) -> Arrays:
        self._worker.post("arrays")
        return self._collect()

    def native(self, arrays: Arrays) -> Arrays:
        self._worker.post("native", arrays)
        return self._collect()

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        observed, self.notes = self._ask("observe", arrays, x, dy)
        return observed

    def stop(self) -> None:
        self._worker.stop()


def compare_targets(first: str, second: str, shape: Shape, names: NameMap | None = None) -> Comparison:
    """Compares two modules by name (`report.port.targets`) on an input of ``shape`` (n, c, h, w).

    Raises:
        PortError: if one cannot be found, run or aligned with the other.
    """
    if reason := machine.lacking(8 * math.prod(shape)):  # the input alone, in float64
        raise PortError(f"an input of {'x'.join(map(str, shape))} {reason}")
    remotes = Remote(first), Remote(second)
    try:
        for remote in remotes:
            remote.start()
        kinds = [remote.wait() for remote in remotes]
        for remote in remotes:
            remote.open(shape, kinds[0] == kinds[1])
        return compare_live(*remotes, shape, names)
    finally:
        for remote in remotes:
            remote.stop()


def compare_modules(first: Any, second: Any, shape: Shape, names: NameMap | None = None) -> Comparison:
    """Compares two live modules of this process on an input of ``shape`` (n, c, h, w).

    Raises:
        PortError: if one is no module of a framework, or cannot be run or aligned with the other.
    """
    return compare_live(*isolated(first, second, shape), shape, names)


def isolated(first: Any, second: Any, shape: Shape) -> tuple[Isolated, Isolated]:
    """Two live modules of this process.

    Raises:
        PortError: if one is no module of a framework.
    """
    kinds = [frameworks.owner(native) for native in (first, second)]
    for native, kind in zip((first, second), kinds, strict=True):
        if kind is None:
            raise PortError(f"{type(native).__name__} is no module of {', '.join(frameworks.BACKENDS)}")
    alone = kinds[0] == kinds[1]
    pairs = zip((first, second), kinds, strict=True)
    one, other = (Isolated(native, str(kind), PROGRAM, shape, alone) for native, kind in pairs)
    return one, other


def input_shape(text: str) -> Shape:
    """``1x3x224x224`` as a shape.

    Raises:
        PortError: for anything else.
    """
    parts = text.lower().split("x")
    digits = all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
    if len(parts) != 4 or not digits or not 0 < math.prod(map(int, parts)) <= MOST_VALUES:
        rule = f"NxCxHxW, such as 1x3x224x224, of at most {MOST_VALUES} values"
        raise PortError(f"`--input {spelled(text)}` must be {rule}")
    n, c, h, w = map(int, parts)
    return (n, c, h, w)


def lines(comparison: Comparison, failures: bool = False) -> list[str]:
    """A line for each comparison, or for each that failed, and the first layer that differs."""
    rows = [finding for finding in comparison.findings if finding.problem or not failures]

    def line(finding: Any) -> str:
        if finding.problem:
            return f"{finding.what}: DIFFERS: {finding.problem}"
        numbers = (
            f" (greatest difference {finding.error:.1e}, allowed {finding.allowance:.1e})" if finding.error else ""
        )
        return f"{finding.what}: agrees{numbers}"

    last = [f"first layer that differs: {comparison.divergence}"] if comparison.divergence else []
    if not last and any(row.problem for row in rows if row.what.startswith("output")):
        last = ["every layer with arrays agrees; the computation after them differs"]
    return [line(row) for row in rows if row.what != "case" or row.problem] + last


if __name__ == "__main__":
    with OURS:
        serve(lambda: Session(sys.argv[1]), *sys.argv[2:])
