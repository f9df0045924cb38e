"""Tables: pure functions from a RunRecord to a header and rows of text."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tabulate import tabulate

from common.check.divergence import GRADIENT, STAGES
from common.results.record import CaseCost, CheckResult, FaultResult, LayerRow, RunRecord


@dataclass(frozen=True)
class Table:
    """A header and rows of cells that are already text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def plain(table: Table) -> str:
    """For a terminal."""
    return tabulate(table.rows, table.header, tablefmt="simple", disable_numparse=True, colalign=_align(table))


def markdown(table: Table) -> str:
    """For GitHub."""
    return tabulate(table.rows, table.header, tablefmt="pipe", disable_numparse=True, colalign=_align(table))


def _align(table: Table) -> list[str] | None:
    """Columns of numbers to the right, of text to the left."""
    columns = list(zip(*table.rows, strict=True))
    numeric = re.compile(r"(?!.*[a-z]{4})[\d*].*|not available|")  # a unit or a word of three letters may follow
    return ["right" if all(map(numeric.fullmatch, column)) else "left" for column in columns] or None


def unique(items: Iterable[str]) -> list[str]:
    """In order of first appearance."""
    return list(dict.fromkeys(items))


def backends(record: RunRecord) -> list[str]:
    """Every backend that the record says anything of."""
    return unique([*record.backends, *(item.backend for item in record.unavailable)])


def _at(label: str, place: str) -> bool:
    """Whether a label is of this backend and device: it begins with them."""
    return f"{label} ".startswith(f"{place} ")


def agreement(record: RunRecord) -> Table:
    """Block by backend, or variant of it: cases that agree of those checked, and the smallest margin seen."""
    checked = unique(result.backend for result in record.checks)
    names = unique(label for name in backends(record) for label in [c for c in checked if _at(c, name)] or [name])

    def cell(block: str, backend: str) -> str:
        results = [r for r in record.checks if r.block == block and r.backend == backend]
        lost = {
            u.case
            for u in record.unavailable
            if _at(backend, u.backend) and u.stage == "check" and u.case.startswith(f"{block}-")
        }
        cases = {r.case for r in results} | lost
        if not cases:
            return "not available"
        bad = {r.case for r in results if not r.passed} | lost
        margins = [r.margin for r in results if r.margin is not None]
        mark = "agrees" if not bad else "**DIFFERS**" if bad - lost else "**incomplete**"
        return f"{mark} {len(cases - bad)}/{len(cases)}" + (f", margin {min(margins):.1f}" if margins else "")

    blocks = unique(result.block for result in record.checks)
    return Table(["block", *names], [[f"`{block}`", *(cell(block, name) for name in names)] for block in blocks])


def layers(rows: Sequence[LayerRow]) -> Table:
    """A layer a row: in each stage its error of what is allowed, so far and its own; ``!`` where that is too much."""

    def cell(error: float | None, allowance: float | None, bad: bool) -> str:
        text = "another shape" if error is None or allowance is None else f"{error:.1e} of {allowance:.1e}"
        return f"! {text}" if bad else text

    stages = [stage for stage in STAGES if any(row.stage == stage for row in rows)]
    found = {(row.node, row.stage): row for row in rows}
    header = ["layer", "kind", *(text for stage in stages for text in (stage, "its own"))]

    def cells(node: str) -> Iterable[str]:
        for stage in stages:
            row = found.get((node, stage))
            yield cell(row.error, row.allowance, row.differs) if row else ""
            yield cell(row.own_error, row.own_allowance, row.wrong) if row else ""

    walked_back = [row for row in reversed(rows) if row.stage == GRADIENT]
    kinds = {row.node: row.layer for row in (*walked_back, *rows)}
    return Table(header, [[node, kind, *cells(node)] for node, kind in kinds.items()])


def margins(record: RunRecord) -> Table:
    """How the margins are spread, a backend a row; where there is no error at all, they have no number."""
    edges = [0, 2, 3, 5, 10, 30, 100, 1000, np.inf]

    def row(name: str) -> list[str]:
        values = np.array([r.margin for r in record.checks if r.backend == name and r.margin is not None])
        finite = values[np.isfinite(values)]
        exact, counts = str(values.size - finite.size), map(str, np.histogram(finite, edges)[0])
        middle = (f"{value:.1f}" for value in np.quantile(finite, [0, 0.5])) if finite.size else ("", "")
        return [name, str(values.size), exact, *middle, *counts]

    steps = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges[1:-1])]
    header = ["backend", "comparisons", "no error", "smallest", "median", "below 2", *steps, "above 1000"]
    return Table(header, [row(name) for name in record.backends])


def missed(result: FaultResult) -> str:
    """Where a fault was caught, in a backend in which that was not where it belongs."""
    belongs = f"{result.expected_level} of `{result.expected_layer}`"
    where = f"{result.level} of `{result.layer}`" if result.level else "nowhere"
    return f"[{result.fault} / {result.backend}] belongs to {belongs}, caught at {where}: {result.message}"


def kills(record: RunRecord) -> Table:
    """Fault by backend: whether it was caught at the level and layer where it belongs."""
    names = unique(result.backend for result in record.faults)
    rows = {result.fault: result for result in record.faults}
    found = {(result.fault, result.backend): result for result in record.faults}

    def cell(fault: str, backend: str) -> str:
        if not (result := found.get((fault, backend))):
            return "not available"
        return "caught" if result.caught else f"**missed**: {result.level or 'nowhere'} {result.layer}".rstrip()

    return Table(
        ["fault", "what is wrong", "level", "layer", *names],
        [
            [name, row.mistake, row.expected_level, f"`{row.expected_layer}`", *(cell(name, b) for b in names)]
            for name, row in rows.items()
        ],
    )


def ran(record: RunRecord, command: str) -> str:
    """Where a record's numbers are from."""
    when, commit = record.environment["date"][:10], record.environment["commit"]
    return f"`convparity {command}` on {when} at commit `{commit}`, in {record.seconds / 60:.1f} minutes"


def number(value: float) -> str:
    """An integer with its thousands set apart."""
    return f"{value:,.0f}"


def size(count: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, scale in (("MiB", 2**20), ("KiB", 2**10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def held(record: RunRecord, case: str) -> str:
    """What the frameworks hold of a checked case, as counted in each; empty if it was not checked."""
    results = [r for r in record.checks if r.level == "parameters" and r.case == case]
    counts = {f"{number(r.trainable)} + {number(r.buffers or 0)}" for r in results if r.trainable is not None}
    if len(counts) == 1:
        return f"{counts.pop()} in {' '.join(r.backend for r in results)}"
    return "; ".join(f"{r.backend} {r.trainable} + {r.buffers}" for r in results)


def shape(sizes: Iterable[int]) -> str:
    """``1x3x224x224``."""
    return "x".join(map(str, sizes))


def counts(record: RunRecord, costs: Sequence[CaseCost]) -> Table:
    """Parameters, MACs and bytes of cases."""
    header = ["case", "output", "trainable", "buffers", "MACs", "FLOPs", "weights", "activations", "read", "written"]
    rows = [
        [
            f"`{c.case}`",
            shape(c.output_shape),
            number(c.trainable),
            number(c.buffers),
            number(c.macs),
            number(c.flops),
            size(c.weight_bytes),
            size(c.activation_bytes),
            size(c.read_bytes),
            size(c.write_bytes),
        ]
        for c in costs
    ]
    return Table(header, rows)


def holdings(record: RunRecord, costs: Sequence[CaseCost]) -> Table:
    """Trainable values and buffers that the frameworks themselves hold, for cases that were checked."""
    # A case's name without the input's shape, which parameters do not depend on.
    spec = {c.case.rpartition("-")[0]: f"{number(c.trainable)} + {number(c.buffers)}" for c in costs}
    rows = [[f"`{case}`", expected, found] for case, expected in spec.items() if (found := held(record, case))]
    return Table(["case", "spec: trainable + buffers", "held"], rows)


def milliseconds(seconds: float) -> str:
    """Three significant digits."""
    value = 1e3 * seconds
    return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}"


def failures(record: RunRecord) -> list[CheckResult]:
    """Every comparison that did not pass."""
    return [result for result in record.checks if not result.passed]
