"""The section on a run in which everything was timed against itself: pure functions of an Analysis."""

from collections.abc import Iterator
from dataclasses import replace

from common.bench.analysis import Analysis
from common.bench.statistics import CONFIDENCE
from report.sections.timing_tables import crowd, title
from report.text import Table, markdown, ran


def calibration_section(run: Analysis) -> Iterator[str]:
    """The section on a run in which everything was timed against itself."""
    table, inside, total = same(run)
    if not total:
        return
    apart = [ratio for group in run.tables for ratio in run.twins(group)]
    deviations = [run.spread(group).deviation for group in run.tables]
    yield "## Can the clock be trusted?"
    if others := crowd(run):
        yield f"**{others}**"
    each = len(run.record.measurements[0].processes)
    yield (
        f"Every configuration was timed against itself, each side in {each} processes of its own, by the same "
        f"method as in all tables. **{inside} of {total}** intervals ({inside / total:.0%}) contain 1; "
        f"{CONFIDENCE:.0%} should. Two processes of the same code were up to {max(apart):.2f}x apart. The effect of "
        f"one process has a standard deviation of {min(deviations):.1%} to {max(deviations):.1%}, by table. "
        f"From {ran(run.record, 'bench --aa')}."
    )
    yield f"<details><summary>Every configuration against itself</summary>\n\n{markdown(table)}\n\n</details>"


def same(run: Analysis) -> tuple[Table, int, int]:
    """Every configuration against itself, in other processes: the ratios, how many contain 1, and their number.

    Both numbers are those of the intervals that are known.
    """
    first = {m.key: m for m in run.record.measurements}
    pairs = [
        (m, run.ratio(m, first[*m.group, replace(m.config, copy=0)]))
        for m in run.record.measurements
        if m.config.copy and (*m.group, replace(m.config, copy=0)) in first
    ]
    table = Table(
        ["case", "configuration", "again over first"],
        [[title(m.group), m.config.label.removesuffix(" again"), ratio.text] for m, ratio in pairs],
    )
    known = [ratio for _, ratio in pairs if ratio.known]
    return table, sum(not ratio.called for ratio in known), len(known)
