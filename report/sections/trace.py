"""Every layer of a block and its error: a pure function from rows to a table."""

from collections.abc import Iterable, Sequence

from common.check.divergence import GRADIENT, STAGES
from common.results.record import LayerRow
from report.text import Table


def layers(rows: Sequence[LayerRow]) -> Table:
    """A layer a row: its error in each stage, so far and its own, with the allowance; ``!`` marks an error above it."""

    def cell(error: float | None, allowance: float | None, bad: bool) -> str:
        text = "another shape" if error is None or allowance is None else f"{error:.1e} of {allowance:.1e}"
        return f"! {text}" if bad else text

    stages = [stage for stage in STAGES if any(row.stage == stage for row in rows)]
    by_stage = {(row.node, row.stage): row for row in rows}
    header = ["layer", "kind", *(text for stage in stages for text in (stage, "its own"))]

    def cells(node: str) -> Iterable[str]:
        for stage in stages:
            row = by_stage.get((node, stage))
            yield cell(row.error, row.allowance, row.differs) if row else ""
            yield cell(row.own_error, row.own_allowance, row.wrong) if row else ""

    walked_back = [row for row in reversed(rows) if row.stage == GRADIENT]
    kinds = {row.node: row.layer for row in (*walked_back, *rows)}
    return Table(header, [[node, kind, *cells(node)] for node, kind in kinds.items()])
