"""Two live modules of any frameworks compared: each in a process of its own, or both in the process of a test."""

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import frameworks
from common.layers.values import Shape
from common.names import spelled
from common.port.comparing import PLAIN, Comparison, How
from common.port.given import Given
from common.port.matching import SHOWN
from common.port.weights import PortError
from common.processes import machine
from convparity.packages import PROGRAM
from report.port.isolated import Isolated
from report.port.nearest import suggesting
from report.port.remote import Remote, Say, silent
from report.port.targets import parse, spec_of
from report.port.verdicts import as_they_are, judged

MOST_VALUES = 2**28  # of an input: it is compared in float64, with its gradient
Input = Sequence[int] | Sequence[Sequence[int]]  # a shape or a `Given`, or several


def compare_targets(first: str, second: str, shape: Input, how: How = PLAIN, say: Say = silent) -> Comparison:
    """Compares two modules by name (`report.port.targets`) on an input of ``shape`` (n, c, h, w), or several.

    ``say`` is told, in a sentence, of every pass that begins.

    Raises:
        PortError: if one cannot be found, run or aligned with the other.
    """
    shapes = shapes_of(shape)
    with remotes(first, second, say) as (lives, kinds), contextlib.ExitStack() as stack:
        for target, other in ((first, lives[1]), (second, lives[0])):
            if spec := spec_of(parse(target)):
                stack.enter_context(suggesting(spec, other.arrays, f" in {target}"))
        return compared(lives, kinds, shapes, how)


def compare_modules(first: Any, second: Any, shape: Input, how: How = PLAIN) -> Comparison:
    """Compares two live modules of this process on an input of ``shape`` (n, c, h, w), or several.

    Raises:
        PortError: if one is no module of a framework, or cannot be run or aligned with the other.
    """
    return compared(*isolated(first, second), shape, how)


@contextlib.contextmanager
def remotes(first: str, second: str, say: Say = silent) -> Iterator[tuple[tuple[Remote, Remote], list[str]]]:
    """Two modules by name, each in a process of its own, and their frameworks.

    Raises:
        PortError: if one cannot be found.
    """
    lives = Remote(first, say), Remote(second, say)
    try:
        for live in lives:
            live.start()
        yield lives, [live.wait() for live in lives]
    finally:
        for live in lives:
            live.stop()


def isolated(first: Any, second: Any) -> tuple[tuple[Isolated, Isolated], list[str]]:
    """Two live modules of this process, and their frameworks.

    Raises:
        PortError: if one is no module of a framework.
    """
    kinds: list[str] = []
    for native in (first, second):
        if (kind := frameworks.owner(native)) is None:
            raise PortError(f"{type(native).__name__} is no module of {', '.join(frameworks.BACKENDS)}")
        kinds.append(kind)
    one, other = (Isolated(native, kind, PROGRAM) for native, kind in zip((first, second), kinds, strict=True))
    return (one, other), kinds


def compared(lives: tuple[Any, Any], kinds: Sequence[str], shape: Input, how: How) -> Comparison:
    """The comparison in the first layouts in which both agree, else in the first in which both run.

    Raises:
        PortError: if one cannot be run or aligned with the other.
    """
    shapes = shapes_of(shape)
    best: Comparison | None = None
    refused: PortError | None = None
    choices = [_layouts(live.layouts, shapes, how.layout) for live in lives]
    for layouts in itertools.product(*choices):
        try:
            for live, layout in zip(lives, layouts, strict=True):
                live.open(shapes, kinds[0] == kinds[1], layout)
            comparison = (as_they_are if how.as_is else judged)(lives, kinds, shapes, how)
        except PortError as error:
            refused = refused or error
            continue
        said = [
            f"{kind}: its inputs are given as {layout.upper()}"
            for kind, layout, usual in zip(kinds, layouts, choices, strict=True)
            if layout != usual[0]
        ]
        comparison = replace(comparison, notes=(*comparison.notes, *said), frameworks=tuple(kinds))
        if comparison.agrees or (comparison.code and comparison.code.agrees):
            return comparison
        best = best or comparison
    if best is None:
        assert refused is not None
        raise refused
    return best


def shapes_of(shape: Input) -> list[Shape]:
    """One shape, or several, as a list.

    Raises:
        PortError: for one that this machine has no memory for.
    """
    several: Any = shape if isinstance(shape[0], Sequence) else [shape]
    shapes: list[Shape] = [one if isinstance(one, Given) else tuple(one) for one in several]
    for one in shapes:
        if reason := machine.lacking(8 * math.prod(one)):  # the input alone, in float64
            raise PortError(f"an input of {'x'.join(map(str, one))} {reason}")
    return shapes


def _layouts(known: Sequence[str], shapes: Sequence[Shape], layout: str | None) -> list[str]:
    """The layouts to try, the usual one first: maps have their channels last in JAX, and tokens everywhere."""
    if len(known) == 1 or all(len(shape) < 3 for shape in shapes):
        return [known[0]]
    if layout:
        return [layout]
    return [*known] if any(len(shape) > 3 for shape in shapes) else [*reversed(known)]


def input_of(text: str) -> Shape:
    """``1x3x224x224`` as a shape, of any rank; ``2x16:int1000`` as integers below 1000; ``x.npy`` as the array in it.

    Raises:
        PortError: for anything else.
    """
    if text.endswith(".npy"):
        return _read(Path(text))
    size, whole, below = text.partition(":int")
    shape = input_shape(size)
    if not whole:
        return shape
    if not (below.isascii() and below.isdigit() and 0 < int(below) < 2**31):
        raise PortError(f"`--input {spelled(text)}` must say below which number integers are, such as 2x16:int1000")
    return Given(np.random.default_rng(0).integers(0, int(below), shape))


def _read(path: Path) -> Given:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.dtype.kind not in "fiu" or not 0 < array.size <= MOST_VALUES:
            raise ValueError(f"it must hold 1 to {MOST_VALUES} numbers, and holds {array.size} of {array.dtype}")
        given = Given(np.array(array))
    except (OSError, ValueError, EOFError) as error:
        raise PortError(f"cannot read the input {path}: {getattr(error, 'strerror', None) or error}") from None
    if not np.isfinite(given.values).all():
        raise PortError(f"cannot use the input {path}: it has numbers that are not finite")
    return given


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
    if not last and not comparison.reasons and any(row.problem for row in rows if row.what.startswith("output")):
        last = ["every layer with arrays agrees; the computation after them differs"]
    said = [f"other settings: {difference}" for difference in comparison.settings]
    said = said[:SHOWN] + ([f"{len(said) - SHOWN} more settings differ"] if len(said) > SHOWN else [])
    if said and comparison.agrees:
        said.append("these settings have no effect on what was compared")
    return said + [line(row) for row in rows] + last + [f"why: {reason}" for reason in comparison.reasons]
