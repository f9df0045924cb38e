"""Every layer of a block and its error: pure functions from rows to text of at most 100 columns."""

import math
from collections.abc import Iterable, Sequence

from common.check.divergence import GRADIENT, STAGES
from common.results.record import LayerRow
from report.text import Table

LONGEST = 26  # letters of a layer's name; the end says more than the beginning
HEADS: dict[str, str] = dict(zip(STAGES, ("output", "trained", "gradient"), strict=True))


def layers(rows: Sequence[LayerRow]) -> Table:
    """A layer a row: what part of its allowance its error takes in each stage, so far and its own.

    ``!`` marks what is above 1, and ``>`` the first layer that is itself wrong.
    """

    def cell(error: float | None, allowance: float | None, bad: bool) -> str:
        if error is None or allowance is None:
            return "!shape"
        part = error / allowance if allowance else math.inf if error else 0.0
        return f"{'!' * bad}{part:{'.2g' if part < 99.5 else '.0e'}}"

    stages = [stage for stage in STAGES if any(row.stage == stage for row in rows)]
    by_stage, first = {(row.node, row.stage): row for row in rows}, _first(rows)
    header = ["layer", "kind", *(text for stage in stages for text in (HEADS[stage], "own"))]

    def cells(node: str) -> Iterable[str]:
        for stage in stages:
            row = by_stage.get((node, stage))
            yield cell(row.error, row.allowance, row.differs) if row else ""
            yield cell(row.own_error, row.own_allowance, row.wrong) if row else ""

    def name(node: str) -> str:
        text = node if len(node) <= LONGEST else f"...{node[3 - LONGEST :]}"
        return f"> {text}" if first and node == first.node else text

    walked_back = [row for row in reversed(rows) if row.stage == GRADIENT]
    kinds = {row.node: row.layer for row in (*walked_back, *rows)}
    return Table(header, [[name(node), kind, *cells(node)] for node, kind in kinds.items()])


def first_wrong(rows: Sequence[LayerRow]) -> str:
    """How to read `layers`, and the first layer that is itself wrong, with its error and what is allowed."""
    if not (row := _first(rows)):
        return "error as a part of what is allowed, so far and the layer's own; no layer is wrong"
    numbers = "its shape" if row.own_error is None else f"error {row.own_error:.1e}, allowed {row.own_allowance:.1e}"
    return f"first wrong layer: {row.node} ({row.layer}), in its {row.stage}: {numbers}"


def _first(rows: Sequence[LayerRow]) -> LayerRow | None:
    return next((row for row in rows if row.wrong), None)
