"""Tables of times and memory: pure functions of an Analysis."""

import math

import numpy as np

from common.bench import roof, statistics
from common.bench.analysis import Analysis, Group
from common.results.measurements import Measurement
from report.text import Table, milliseconds, percent, size, unique

WIDEST = 7  # columns of a table


def title(group: Group) -> str:
    """``conv_stack-c3``, with the mode and dtype unless they are the usual ones."""
    case, *words = group
    return " ".join([f"`{case}`", *(word for word in words if word not in ("forward", "float32"))])


def crowd(run: Analysis) -> str:
    """That other processes used the machine, and what follows; empty if they did not."""
    if not (rows := run.crowded):
        return ""
    others, pressure = (max(row.share(name) for row in rows) for name in ("others", "pressure"))
    return (
        f"Other processes used the machine: {len(rows)} of {len(run.record.measurements)} rows are disturbed, and "
        f"nothing is called for them. Others took up to {others:.0%} of a row's processor time, and its threads "
        f"waited for them up to {max(row.late for row in rows):.1f} s in a second (CPU pressure {pressure:.0%}). "
        "Run it again when the machine is quiet."
    )


def disturbed(measurement: Measurement) -> int:
    """Samples of which a hundredth was stolen, or before which the processor was a quarter slower than usual."""
    count = 0
    for process in measurement.processes:
        usual = np.median(process.clock) if process.clock else 0.0
        pairs = zip(process.stolen, process.clock, strict=True)
        count += sum(stolen > 0.01 or clock > 1.25 * usual for stolen, clock in pairs)
    return count


def times(run: Analysis, group: Group) -> Table:
    """One table: the fastest configuration first, what is missing last."""
    rows, ranks, least = run.tables[group], run.ranks(group), run.bound(group)
    bound = ["of the bound"] if least else []
    header = ["configuration", "median ms", "quartiles ms", "against the fastest", "rank", *bound, "disturbed"]
    body = [
        [
            m.config.label,
            milliseconds(m.median),
            " to ".join(milliseconds(q) for q in m.quartiles),
            against(run, group, i),
            " to ".join(unique(map(str, ranks[i]))),
            *([percent(least / m.median)] if least else []),
            f"all, by others ({percent(m.share('others'))})" if m.crowded else str(disturbed(m)),
        ]
        for i, m in enumerate(rows)
    ]
    missing = unique(
        item.label for item in run.record.unavailable if item.group == group or not (item.case or item.mode)
    )
    timed = {m.config.label for m in rows}
    body += [[name, "", "", "not available", *[""] * (len(header) - 4)] for name in missing if name not in timed]
    return Table(header, body)


def conditions(run: Analysis, group: Group) -> Table:
    """How the rows of `times` came about."""
    rows = [
        [
            m.config.label,
            f"{m.setup_seconds:.2f}",
            f"{m.first_call_seconds:.2f}",
            f"{m.threads_used:.1f}",
            f"{len(m.seconds)} of {m.processes[0].calls}",
        ]
        for m in run.tables[group]
    ]
    return Table(["configuration", "build s", "first call s", "threads used", "samples"], rows)


def note(run: Analysis, group: Group) -> str:
    """The text below a table: what a tie means, how far two processes of one configuration were apart, the bound."""
    parts = []
    if len(run.tables[group]) > 1:
        parts.append(told(run, group))
    if apart := run.twins(group):
        parts.append(f"A/A: two processes of one configuration were up to {max(apart):.2f}x apart in this table.")
    if least := run.bound(group):
        arithmetic, _ = roof.work(run.costs[group[0]], group[1])
        assert run.record.peaks
        which = "arithmetic" if arithmetic / run.record.peaks.flops == least else "memory traffic"
        parts.append(f"Bound: {milliseconds(least)} ms, by {which}.")
    return " ".join(parts)


def against(run: Analysis, group: Group, place: int) -> str:
    """A row against the one of the least median, which is the fastest if it is known to be faster than all others."""
    if place:
        return run.ratios(group)[place, 0].text
    others = [run.ratios(group)[row, 0] for row in range(1, len(run.tables[group]))]
    if run.tables[group][0].crowded or not all(ratio.known for ratio in others):
        return "not known"
    return "fastest" if all(ratio.called for ratio in others) else "tie for the fastest"


def told(run: Analysis, group: Group) -> str:
    """What a tie means in this table: the smallest ratio that would have been called a difference in every pair."""
    by_pair, parts = run.ratios(group), []
    if (smallest := statistics.told(by_pair)) < math.inf:
        parts.append(
            f"A tie means: less than {smallest:.2f}x apart. A greater ratio of two rows would be a difference."
        )
    if any(row.crowded for row in run.tables[group]):
        parts.append("Nothing is called of the rows that other processes disturbed.")
    elif not all(ratio.known for ratio in by_pair.values()):
        parts.append("Nothing is known of rows that ran in fewer than three rounds, or if none ran in two processes.")
    return " ".join(parts)


def overview(run: Analysis) -> Table:
    """Median milliseconds: a group a row, a configuration a column, or the other way round if those are too many.

    The fastest of a group is bold; ``(tie)`` marks what cannot be told from it.
    """
    missing = [item.label for item in run.record.unavailable if item.config or not item.case]
    labels = unique([*(row.config.label for row in run.record.measurements), *missing])

    def cells(group: Group) -> list[str]:
        texts, nothing = {}, against(run, group, 0) == "not known"
        for place, m in enumerate(run.tables[group]):
            text = milliseconds(m.median)
            if not nothing and not place:
                text = f"**{text}**"
            elif not nothing and not run.ratios(group)[place, 0].called:
                text = f"{text} (tie)"
            texts[m.config.label] = text + " (disturbed)" * m.crowded
        return [texts.get(label, "not available") for label in labels]

    columns = [[title(group), *cells(group)] for group in run.tables]
    header = ["median ms", *labels]
    if len(header) <= WIDEST:
        return Table(header, columns)
    first, *rows = zip(header, *columns, strict=True)
    return Table(first, rows)


def memory(run: Analysis) -> Table:
    """Peak memory of a call by configuration, with the size of the activations."""
    table = [
        [
            title(use.group),
            use.config.label,
            size(use.peak),
            size(use.planned) if use.planned is not None else "",
            size(run.costs[use.case].output_bytes) if use.case in run.costs else "",
            size(run.costs[use.case].activation_bytes) if use.case in run.costs else "",
        ]
        for use in run.record.memory
    ]
    return Table(["case", "configuration", "peak", "planned", "output alone", "all activations"], table)
