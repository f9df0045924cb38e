"""Tables of times and memory: pure functions from a RunRecord."""

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

from common.bench import roof, statistics
from common.results.measurements import Measurement
from common.results.record import RunRecord
from report.text import Table, milliseconds, size, unique

Group = tuple[str, str, str]


def groups(record: RunRecord) -> list[Group]:
    """Case, mode and dtype of every table, those of which nothing could be timed included."""
    found = [item.group for item in record.measurements]
    return list(dict.fromkeys([*found, *(item.group for item in record.unavailable if item.config)]))


def title(group: Group) -> str:
    """``conv_stack-c3``, with the mode and dtype unless they are the usual ones."""
    case, *words = group
    return " ".join([f"`{case}`", *(word for word in words if word not in ("forward", "float32"))])


def rows(record: RunRecord, group: Group) -> list[Measurement]:
    """A table's measurements, the fastest first."""
    return sorted((m for m in record.measurements if m.group == group), key=lambda m: m.median)


def bound(record: RunRecord, group: Group) -> float | None:
    """Seconds that the machine needs at best; for float32, in which its peak was measured."""
    case, mode, dtype = group
    cost = next((c for c in record.costs if c.case == case), None)
    return roof.bound(cost, mode, record.peaks) if cost and record.peaks and dtype == "float32" else None


def disturbed(measurement: Measurement) -> int:
    """Samples of which a hundredth was stolen, or before which the processor was a quarter slower than usual."""
    count = 0
    for process in measurement.processes:
        usual = np.median(process.clock) if process.clock else 0.0
        pairs = zip(process.stolen, process.clock, strict=True)
        count += sum(stolen > 0.01 or clock > 1.25 * usual for stolen, clock in pairs)
    return count


def times(record: RunRecord, group: Group) -> Table:
    """One table: the fastest configuration first, what is missing last."""
    found = rows(record, group)
    noise = statistics.spread(record.measurements)
    ratios = statistics.ratios(found, noise)
    ranks = statistics.ranks(found, ratios)
    least = bound(record, group)
    header = [
        "configuration",
        "median ms",
        "quartiles ms",
        "against the fastest",
        "rank",
        *(["of the bound"] if least else []),
        "build s",
        "first call s",
        "threads used",
        "samples",
        "disturbed",
    ]
    body = [
        [
            m.config.label,
            milliseconds(m.median),
            " to ".join(milliseconds(q) for q in m.quartiles),
            ratios[i, 0].text if i else "fastest",
            " to ".join(unique(map(str, ranks[i]))),
            *([f"{least / m.median:.0%}"] if least else []),
            f"{m.setup_seconds:.2f}",
            f"{m.first_call_seconds:.2f}",
            f"{m.threads_used:.1f}",
            f"{len(m.seconds)} of {m.processes[0].calls}",
            str(disturbed(m)),
        ]
        for i, m in enumerate(found)
    ]
    missing = unique(item.label for item in record.unavailable if item.group == group or not (item.case or item.mode))
    timed = {m.config.label for m in found}
    body += [[name, "", "", "not available", *[""] * (len(header) - 4)] for name in missing if name not in timed]
    return Table(header, body)


def twins(found: Sequence[Measurement]) -> list[float]:
    """How many times longer the slower process of one configuration took than the faster, for all pairs of a table."""
    pairs = [pair for m in found for pair in itertools.pairwise(m.processes)]
    differences = [statistics.paired([one], [other]) for one, other in pairs]
    return [math.exp(abs(float(statistics.middle(d)))) for d in differences if d.size]


def note(record: RunRecord, group: Group) -> str:
    """What stands beneath a table: how far twins were apart, and the bound."""
    found = rows(record, group)
    parts = []
    if apart := twins(found):
        noise = statistics.spread(record.measurements)
        parts.append(
            f"A/A: two processes of one configuration were up to {max(apart):.2f}x apart here; by those of the whole "
            f"run, less than {noise.ratio:.2f}x between two configurations is no difference."
        )
    if least := bound(record, group):
        cost = next(c for c in record.costs if c.case == group[0])
        arithmetic, _ = roof.work(cost, group[1])
        assert record.peaks
        which = "arithmetic" if arithmetic / record.peaks.flops == least else "memory traffic"
        parts.append(f"Bound: {milliseconds(least)} ms, by {which}.")
    return " ".join(parts)


def overview(record: RunRecord) -> Table:
    """Table by configuration: median milliseconds, in bold the fastest and all that are too close to it to call."""
    labels = unique(
        [m.config.label for m in record.measurements] + [u.label for u in record.unavailable if u.config or not u.case]
    )
    noise = statistics.spread(record.measurements)

    def cells(group: Group) -> Iterable[str]:
        found = rows(record, group)
        ratios = statistics.ratios(found, noise)
        marks = ["" if i and ratios[i, 0].called else "**" for i in range(len(found))]
        texts = {m.config.label: mark + milliseconds(m.median) + mark for m, mark in zip(found, marks, strict=True)}
        return (texts.get(label, "not available") for label in labels)

    return Table(["median ms", *labels], [[title(group), *cells(group)] for group in groups(record)])


def memory(record: RunRecord) -> Table:
    """Peak memory of a call by configuration, beside what the activations take."""
    costs = {c.case: c for c in record.costs}
    table = [
        [
            title(use.group),
            use.config.label,
            size(use.peak),
            size(use.planned) if use.planned is not None else "",
            size(costs[use.case].output_bytes) if use.case in costs else "",
            size(costs[use.case].activation_bytes) if use.case in costs else "",
        ]
        for use in record.memory
    ]
    return Table(["case", "configuration", "peak", "planned", "output alone", "all activations"], table)
