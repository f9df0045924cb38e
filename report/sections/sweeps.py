"""The section of one sweep: pure functions of an Analysis."""

from collections.abc import Iterator

from common.bench.analysis import Analysis
from common.results.record import RunRecord
from report.sections.timing import tables
from report.sections.timing_tables import memory, overview, title
from report.text import markdown, ran


def sweep_section(run: Analysis, name: str) -> Iterator[str]:
    """The section of one sweep."""
    record = run.record
    yield f"## {record.title or name}"
    yield f"{record.about} From {ran(record, f'sweep report/sweeps/{name}.yaml')}.".strip()
    yield from missing(record)
    yield markdown(overview(run))
    if record.memory:
        yield (
            "Memory of one call beyond what its process held before it (peak resident memory; arrays handed over, "
            "weights and compiled code are not in it). Where an allocator has kept what an earlier call freed, a part "
            "of it is hidden: so a peak below *planned*, which XLA said it needs for temporaries and output, is too "
            "small. "
            "*All activations* counts every layer's output once, as if none were freed."
        )
        yield markdown(memory(run))
    yield "\n\n".join(["<details><summary>Every table</summary>", *tables(run), "</details>"])


def missing(record: RunRecord) -> Iterator[str]:
    """What a sweep could not time, and why."""
    if record.unavailable:
        reasons = [f"{title(u.group)} {u.label}: {u.reason}" for u in record.unavailable]
        yield "Not available: " + "; ".join(dict.fromkeys(reasons)) + "."
