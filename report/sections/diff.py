"""Two runs side by side: pure functions from a Diff to text."""

from common.bench.regressions import TIE, Diff
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
            change.verdict if change.verdict == TIE else f"**{change.verdict}**",
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
    """``2 regressions, 1 improvement, 37 ties; the machine itself took 1.01x as long``, in one line."""
    verdicts = [change.verdict for change in diff.changes]
    counts = [(verdicts.count(word), word) for word in ("regression", "improvement", "tie")]
    text = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    clock = f"; a fixed piece of work took {diff.clock:.2f}x as long" if diff.clock == diff.clock else ""
    return text + clock
