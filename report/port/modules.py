"""Two live modules of any frameworks: each in a process of its own, or both in the process of a test."""

import contextlib
import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import frameworks
from common.layers.values import Shape
from common.names import spelled
from common.port.alignment import NameMap
from common.port.comparing import Comparison, compare_live
from common.port.live import Cotangents, Nature, Observed
from common.port.weights import PortError
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.processes.serve import serve
from common.spec.params import Arrays
from convparity.packages import OURS, PROGRAM
from report.port.isolated import Isolated
from report.port.targets import Loaded, parse

MOST_VALUES = 2**28  # of an input: it is compared in float64, with its gradient
LOOSE = ("torch", "paddle")  # whose constants can be known to float32 only
SAME_IN_FLOAT32 = "equal to float32: they differ by no more than constants that a framework keeps in float32"
Input = Sequence[int] | Sequence[Sequence[int]]  # a shape, or several


@dataclass(frozen=True)
class How:
    """What a caller says of a comparison: pairs of layers or arrays, the only output, the layout of JAX's inputs."""

    names: NameMap | None = None
    output: str | None = None
    layout: str | None = None


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
            framework, self.layouts = self._worker.collect()
        return framework

    def open(self, shapes: Sequence[Shape], alone: bool, layout: str) -> None:
        """Makes the copy that is run."""
        self.nature: Nature = self._ask("open", shapes, alone, layout)
        self.notes = []

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        observed, self.notes = self._ask("observe", arrays, xs, dys, loose)
        return observed

    def stop(self) -> None:
        self._worker.stop()


def compare_targets(first: str, second: str, shape: Input, how: How = How()) -> Comparison:
    """Compares two modules by name (`report.port.targets`) on an input of ``shape`` (n, c, h, w), or several.

    Raises:
        PortError: if one cannot be found, run or aligned with the other.
    """
    for one in _shapes(shape):
        if reason := machine.lacking(8 * math.prod(one)):  # the input alone, in float64
            raise PortError(f"an input of {'x'.join(map(str, one))} {reason}")
    remotes = Remote(first), Remote(second)
    try:
        for remote in remotes:
            remote.start()
        kinds = [remote.wait() for remote in remotes]
        return _compared(remotes, kinds, shape, how)
    finally:
        for remote in remotes:
            remote.stop()


def compare_modules(first: Any, second: Any, shape: Input, how: How = How()) -> Comparison:
    """Compares two live modules of this process on an input of ``shape`` (n, c, h, w), or several.

    Raises:
        PortError: if one is no module of a framework, or cannot be run or aligned with the other.
    """
    kinds: list[str] = []
    for native in (first, second):
        if (kind := frameworks.owner(native)) is None:
            raise PortError(f"{type(native).__name__} is no module of {', '.join(frameworks.BACKENDS)}")
        kinds.append(kind)
    one, other = (Isolated(native, kind, PROGRAM) for native, kind in zip((first, second), kinds, strict=True))
    return _compared((one, other), kinds, shape, how)


def _compared(lives: tuple[Any, Any], kinds: Sequence[str], shape: Input, how: How) -> Comparison:
    """The comparison in the first layouts in which both agree, else in the first in which both run."""
    shapes = _shapes(shape)
    best: Comparison | None = None
    refused: PortError | None = None
    choices = [_layouts(live.layouts, shapes, how.layout) for live in lives]
    for layouts in itertools.product(*choices):
        try:
            for live, layout in zip(lives, layouts, strict=True):
                live.open(shapes, kinds[0] == kinds[1], layout)
            comparison = compare_live(*lives, shapes, how.names, how.output)
            if not comparison.agrees and any(kind in LOOSE for kind in kinds):
                comparison = _loosely(lives, kinds, shapes, how, comparison)
        except PortError as error:
            refused = refused or error
            continue
        said = [
            f"{kind}: its inputs are given as {layout.upper()}"
            for kind, layout, usual in zip(kinds, layouts, choices, strict=True)
            if layout != usual[0]
        ]
        comparison = replace(comparison, notes=(*comparison.notes, *said))
        if comparison.agrees:
            return comparison
        best = best or comparison
    if best is None:
        assert refused is not None
        raise refused
    return best


def _shapes(shape: Input) -> list[Shape]:
    return [tuple(one) for one in shape] if isinstance(shape[0], Sequence) else [tuple(shape)]  # pyright: ignore


def _loosely(
    lives: tuple[Any, Any], kinds: Sequence[str], shapes: list[Shape], how: How, comparison: Comparison
) -> Comparison:
    """The comparison, or if it agrees one in which constants of a module are known to float32 only."""
    names, pair = how.names, lives
    if kinds[0] != "torch" and (kinds[1] == "torch" or kinds[0] not in LOOSE):
        names, pair = names and {b: a for a, b in names.items()}, (lives[1], lives[0])
    loose = compare_live(*pair, shapes, names, how.output, loose=True)
    if not loose.agrees:
        return comparison
    return replace(comparison, findings=loose.findings, divergence=None, notes=(*comparison.notes, SAME_IN_FLOAT32))


def _layouts(known: Sequence[str], shapes: Sequence[Shape], layout: str | None) -> list[str]:
    """The layouts to try, the usual one first: maps have their channels last in JAX, and tokens everywhere."""
    if len(known) == 1 or all(len(shape) < 3 for shape in shapes):
        return [known[0]]
    if layout:
        return [layout]
    return [*known] if any(len(shape) > 3 for shape in shapes) else [*reversed(known)]


def input_shape(text: str) -> Shape:
    """``1x3x224x224`` as a shape, of any rank.

    Raises:
        PortError: for anything else.
    """
    parts = text.lower().split("x")
    digits = all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
    if not digits or not 0 < math.prod(map(int, parts)) <= MOST_VALUES:
        rule = f"numbers above 0 with x between them, such as 1x3x224x224, and at most {MOST_VALUES} values"
        raise PortError(f"`--input {spelled(text)}` must be {rule}")
    return tuple(map(int, parts))


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
    return [line(row) for row in rows] + last


if __name__ == "__main__":
    with OURS:
        serve(lambda: Session(sys.argv[1]), *sys.argv[2:])
