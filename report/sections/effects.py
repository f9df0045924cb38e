"""The section on what changes the times apart from the code: pure functions of Analyses."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from common.bench.analysis import Analysis
from common.bench.ratio import Ratio
from common.config import Config
from common.results.measurements import Measurement
from report.sections.provenance import apart
from report.sections.timing_tables import title
from report.text import milliseconds

ALONE = 1.2  # if no more threads than this are used, the work is on one thread


def effects_section(runs: Sequence[Analysis]) -> Iterator[str]:
    """What changes the times apart from the code, as far as the records show it: a sentence each.

    The first run is that of the page; a sentence from another says where that one differs.
    """
    lines = [*_depthwise(runs), *_unset(runs), *_faults(runs)]
    if lines:
        yield "## What else changes the times"
        yield "\n".join(f"- {line}" for line in lines)


class Change(NamedTuple):
    """A measurement of a changed configuration, and its ratio to the unchanged one of the same table, in a run."""

    row: Measurement
    ratio: Ratio
    run: Analysis


def _against(runs: Sequence[Analysis], **changed: str) -> list[Change]:
    found = []
    for run in runs:
        usual = {m.key: m for m in run.record.measurements}
        for m in run.record.measurements:
            plain = replace(m.config, **{name: getattr(Config(""), name) for name in changed})
            other = usual.get((*m.group, plain))
            if other and all(getattr(m.config, name) == value for name, value in changed.items()):
                found.append(Change(m, run.ratio(m, other), run))
    return found


def _depthwise(runs: Sequence[Analysis]) -> Iterator[str]:
    for run in runs:
        for group, rows in run.tables.items():
            plain = [m for m in rows if m.backend == "jax" and m.config.variant == "reference"]
            slow = next((m for m in plain if m.block == "depthwise_conv"), None)
            if not slow or group[1] != "forward" or slow.threads_used > ALONE:
                continue
            place = rows.index(slow)
            if place and run.ratios(group)[place, 0].called:
                yield (
                    f"**JAX's depthwise convolution** runs on one thread ({slow.threads_used:.1f} used) and takes "
                    f"{run.ratios(group)[place, 0].text} of {rows[0].config.label}'s time on {title(group)}. "
                    "Others report the same ([jax#23713](https://github.com/jax-ml/jax/issues/23713))."
                    + _elsewhere(run, runs)
                )
                return


def _unset(runs: Sequence[Analysis]) -> Iterator[str]:
    alone = [c for c in _against(runs, threads="unset") if c.row.backend == "paddle" and c.row.threads_used < ALONE]
    for (m, ratio, run), share in _largest(alone):
        yield (
            f"**Paddle in a plain process** computes on one thread ({m.threads_used:.1f} used): it sets "
            f"`OMP_NUM_THREADS` to 1 if the variable is not set. On {title(m.group)} it takes {milliseconds(m.median)} "
            f"ms, {ratio.text} of its time with the run's threads ({share}).{_elsewhere(run, runs)}"
        )


def _faults(runs: Sequence[Analysis]) -> Iterator[str]:
    for (m, ratio, run), share in _largest(_against(runs, allocator="tuned")):
        yield (
            "**Page faults:** glibc gives large arrays back to the system after every operation and faults them in "
            f"again at the next. If it is told to keep them, {m.backend} takes {milliseconds(m.median)} ms on "
            f"{title(m.group)}, {ratio.text} of its time without that ({share}).{_elsewhere(run, runs)}"
        )


def _largest(changes: Sequence[Change]) -> list[tuple[Change, str]]:
    """The change whose ratio is farthest from 1, among those that count as a difference, and of how many it is that;
    empty if none counts.
    """
    counted = [change for change in changes if change.ratio.called]
    share = f"the largest effect of {len(changes)} pairs, of which {len(changes) - len(counted)} are ties"
    return [(max(counted, key=lambda change: abs(math.log(change.ratio.value))), share)] if counted else []


def _elsewhere(run: Analysis, runs: Sequence[Analysis]) -> str:
    lines = apart(run.record, runs[0].record)
    return f" Another run: {'; '.join(lines)}." if lines else ""
