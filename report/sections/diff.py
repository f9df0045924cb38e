"""Two runs side by side: pure functions from a Diff to text."""

import math
from collections.abc import Iterator, Sequence

from common.bench.regressions import DISTURBED, DRIFT, IMPROVEMENT, REGRESSION, TIE, UNKNOWN, Diff
from common.results.measurements import Measurement
from report.text import Table, milliseconds


def _row(row: Measurement) -> list[str]:
    return [f"`{row.case}`", row.mode, row.dtype, row.config.label]


def changes(diff: Diff) -> Table:
    """Every row of either run: medians, the new time over the old with its interval, and the verdict."""
    header = ["case", "mode", "dtype", "configuration", "old ms", "new ms", "new / old", "verdict"]
    rows = [
        [
            *_row(change.new),
            milliseconds(change.old.median),
            milliseconds(change.new.median),
            change.ratio.text,
            f"**{change.verdict}**" if change.verdict in (REGRESSION, IMPROVEMENT) else change.verdict,
        ]
        for change in diff.changes
    ]
    rows += [[*_row(row), milliseconds(row.median), "", "", "only in the old"] for row in diff.only_old]
    rows += [[*_row(row), "", milliseconds(row.median), "", "only in the new"] for row in diff.only_new]
    return Table(header, rows)


def environments(diff: Diff) -> Table:
    """What differs between the environments of the two runs."""
    return Table(["", "old", "new"], [[name, old or "none", new or "none"] for name, old, new in diff.environment])


def summary(diff: Diff) -> str:
    """``2 regressions, 1 improvement, 37 ties; a fixed piece of work took 1.01x as long``, and what was not called.

    A line each: how large a change could be told; rows that changed as their whole table did, that others disturbed, of
    which nothing is known, that one run lacks.
    """
    verdicts = [change.verdict for change in diff.changes]
    counts = [(verdicts.count(word), word) for word in (REGRESSION, IMPROVEMENT, TIE)]
    text = ", ".join(_counted(count, word) for count, word in counts)
    lines = [text + (f"; a fixed piece of work took {diff.clock:.2f}x as long" if diff.clock == diff.clock else "")]
    if told := sorted(math.exp(max(c.ratio.sides)) for c in diff.changes if c.ratio.known):
        half = told[(len(told) - 1) // 2]
        lines.append(
            f"A tie means: changed by less than {told[-1]:.2f}x; in half of the rows by less than {half:.2f}x."
        )
    for verdict, why in (
        (DRIFT, "changed no more than the other rows, as when the machine drifts: not called"),
        (DISTURBED, "disturbed by other processes in one of the runs: not called"),
        (UNKNOWN, "not known (one process, two rounds, or no other rows to tell drift by): not called"),
    ):
        lines += _listed([c.new for c in diff.changes if c.verdict == verdict], why)
    lines += _listed(diff.only_old, "vanished, only in the old run")
    lines += _listed(diff.only_new, "only in the new run")
    return "\n".join(lines)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _listed(rows: Sequence[Measurement], why: str) -> Iterator[str]:
    """``2 rows vanished: conv-a forward float32 torch, ...``, if there are any."""
    if rows:
        yield f"{_counted(len(rows), 'row')} {why}: {', '.join(' '.join(_row(row)).replace('`', '') for row in rows)}"
