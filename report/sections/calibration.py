"""The section on a run in which everything was timed against itself: pure functions from a RunRecord."""

from collections.abc import Iterator
from dataclasses import replace

from common.bench import statistics
from common.bench.statistics import CONFIDENCE
from common.results.record import RunRecord
from report.sections.timing_tables import groups, rows, title, twins
from report.text import Table, markdown, ran


def calibration_section(record: RunRecord) -> Iterator[str]:
    """The section on a run in which everything was timed against itself."""
    table, inside, of = same(record)
    if not of:
        return
    apart = [ratio for group in groups(record) for ratio in twins(rows(record, group))]
    noise = statistics.spread(record.measurements)
    yield "## Can the clock be trusted?"
    each = len(record.measurements[0].processes)
    yield (
        f"Every configuration was timed against itself, each side in {each} processes of its own, by the method of all "
        f"tables. **{inside} of {of}** intervals ({inside / of:.0%}) hold 1, as {CONFIDENCE:.0%} should. Two processes "
        f"of the same code were up to {max(apart):.2f}x apart; one process's own effect has a standard deviation of "
        f"{noise.deviation:.1%}, so between two configurations, each in two processes, less than {noise.ratio:.2f}x is "
        f"no difference. From {ran(record, 'bench --aa')}."
    )
    yield f"<details><summary>Every configuration against itself</summary>\n\n{markdown(table)}\n\n</details>"


def same(record: RunRecord) -> tuple[Table, int, int]:
    """Every configuration against itself, in other processes: the ratios, how many hold 1, and of how many."""
    first = {m.key: m for m in record.measurements}
    noise = statistics.spread(record.measurements)
    found = [
        (m, statistics.ratio(m, first[*m.group, replace(m.config, copy=0)], noise))
        for m in record.measurements
        if m.config.copy and (*m.group, replace(m.config, copy=0)) in first
    ]
    table = Table(
        ["case", "configuration", "again over first"],
        [[title(m.group), m.config.label.removesuffix(" again"), ratio.text] for m, ratio in found],
    )
    return table, sum(not ratio.called for _, ratio in found), len(found)
