"""Where the numbers of a section come from, if not from the run of the page: pure functions of records."""

import re
from collections.abc import Iterable, Iterator

from common.results.record import RunRecord
from common.results.training import TrainingRecord

Record = RunRecord | TrainingRecord

# What a number depends on beside the code, as a record's environment and its frameworks name it.
CONDITIONS = ("cpu", "processors", "threads a framework", "python", "numpy", "allocator")
VERSIONS = ("torch", "paddle", "jax", "jaxlib", "flax")
# The peaks of the quiet machine's records differ by less than a tenth; a machine that reaches so much less is another.
SLOWER = 1.25


def apart(record: Record, run: Record) -> list[str]:
    """What a record's machine, threads and versions are where they are not the run's; empty if all are the same."""
    lines = []
    for name in CONDITIONS:
        if (value := record.environment.get(name, "unknown")) != run.environment.get(name, "unknown"):
            lines.append(value if name == "cpu" else f"{name} {value}")
    for backend in sorted(record.backends.keys() & run.backends.keys()):
        for name in VERSIONS:
            if (version := record.backends[backend].get(name)) != run.backends[backend].get(name):
                lines.append(f"{name} {version or 'unknown'}")
    peaks = [item.peaks.flops if isinstance(item, RunRecord) and item.peaks else None for item in (record, run)]
    if peaks[0] and peaks[1] and not 1 / SLOWER < peaks[0] / peaks[1] < SLOWER:
        lines.append(f"a peak of {peaks[0] / 1e9:.0f} GFLOP/s, not {peaks[1] / 1e9:.0f}")
    return list(dict.fromkeys(lines))


def anchor(title: str) -> str:
    """What GitHub makes of a heading, to link to it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def headed(section: Iterable[str], record: Record, run: Record) -> Iterator[str]:
    """The section of a record; its first heading says what `apart` finds. Links to the heading lead there as before."""
    first, *others = [*section] or [""]
    if first and (lines := apart(record, run)):
        first = f'<a id="{anchor(first.lstrip("# "))}"></a>\n\n{first} (another run: {"; ".join(lines)})'
    yield from (text for text in (first, *others) if text)
