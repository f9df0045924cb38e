"""The section of one sweep: pure functions of an Analysis."""

from collections.abc import Iterator

from common.bench.analysis import Analysis
from common.results.record import RunRecord
from report.sections.timing import tables
from report.sections.timing_tables import crowd, memory, overview, title
from report.text import markdown, ran


def sweep_section(run: Analysis, name: str) -> Iterator[str]:
    """The section of one sweep."""
    record = run.record
    yield f"## {record.title or name}"
    yield f"{record.about} From {ran(record, f'sweep report/sweeps/{name}.yaml')}.".strip()
    if others := crowd(run):
        yield f"**{others}**"
    yield from missing(record)
    yield markdown(overview(run))
    if record.memory:
        yield (
            "The memory that one call adds to its process (peak resident memory, without the input arrays, the weights "
            "and compiled code). If the allocator kept memory that an earlier call freed, a part is not counted. "
            "*Planned* is what XLA says it needs for temporaries and output: a peak below it is too small. "
            "*All activations* counts every layer's output once, as if none were freed."
        )
        yield markdown(memory(run))
    yield "\n\n".join(["<details><summary>Every table</summary>", *tables(run), "</details>"])


def missing(record: RunRecord) -> Iterator[str]:
    """What a sweep could not time, and why."""
    if record.unavailable:
        reasons = [f"{title(u.group)} {u.label}: {u.reason}" for u in record.unavailable]
        yield "Not available: " + "; ".join(dict.fromkeys(reasons)) + "."
