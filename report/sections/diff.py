"""Two runs side by side: pure functions from a Diff to text."""

from common.bench.regressions import TIE, Diff
from common.results.measurements import Measurement
from report.text import Table, milliseconds


def _what(row: Measurement) -> list[str]:
    return [f"`{row.case}`", row.mode, row.dtype, row.config.label]


def changes(found: Diff) -> Table:
    """Every row of either run: medians, the new time over the old with its interval, and the verdict."""
    header = ["case", "mode", "dtype", "configuration", "old ms", "new ms", "new / old", "verdict"]
    rows = [
        [
            *_what(change.new),
            milliseconds(change.old.median),
            milliseconds(change.new.median),
            change.ratio.text,
            change.verdict if change.verdict == TIE else f"**{change.verdict}**",
        ]
        for change in found.changes
    ]
    rows += [[*_what(row), milliseconds(row.median), "", "", "only in the old"] for row in found.only_old]
    rows += [[*_what(row), "", milliseconds(row.median), "", "only in the new"] for row in found.only_new]
    return Table(header, rows)


def environments(found: Diff) -> Table:
    """What differs of where the two ran."""
    return Table(["", "old", "new"], [[name, old or "none", new or "none"] for name, old, new in found.environment])


def summary(found: Diff) -> str:
    """``2 regressions, 1 improvement, 37 ties; the machine itself took 1.01x as long``, in one line."""
    verdicts = [change.verdict for change in found.changes]
    counts = [(verdicts.count(word), word) for word in ("regression", "improvement", "tie")]
    text = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    clock = f"; a fixed piece of work took {found.clock:.2f}x as long" if found.clock == found.clock else ""
    return text + clock
