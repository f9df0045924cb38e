"""The report's section on times: pure functions of an Analysis."""

from collections.abc import Iterator

from common.bench.analysis import Analysis
from common.bench.statistics import CONFIDENCE
from common.results.measurements import OTHERS
from common.results.record import RunRecord
from common.spec.catalogue import CATALOGUE
from report.sections import timing_tables as timing
from report.text import markdown, number, size

HOW_TO_READ = (
    "*Against the fastest* is the median of ratios taken round by round, averaged over the pairs of the two "
    "configurations' processes. Its interval includes the scatter of the rounds (a bootstrap) and the difference "
    "between processes (the A/A spread of this table). The intervals of all pairs of a table hold together with "
    f"{CONFIDENCE:.0%} confidence (Bonferroni). *Tie*: the interval contains 1, so no difference is claimed; below "
    "each table is the smallest ratio that it could tell. *Not known*: nothing is claimed, because other processes "
    "used the machine, or there was one process or fewer than three rounds. *Rank*: the places that the intervals "
    "allow. *First call* includes compilation. *Threads used* is processor time over "
    "wall time. *Samples* is the number of samples, and of calls in each. *Disturbed* is the number of samples of "
    "which the hypervisor took more than 1%, or before which the processor was a quarter slower than usual; none is "
    "left out. *By others*: other processes took this share of the row's processor time, more than "
    f"{OTHERS:.0%}, or the row waited for a processor. *Of the bound* is the least time that this machine's "
    "peaks allow for a direct convolution, over the median: Winograd's algorithm may pass 100%."
)


def timing_section(run: Analysis) -> Iterator[str]:
    """The section on the run's own times."""
    if not run.tables:
        return
    yield "## How long they take"
    if others := timing.crowd(run):
        yield f"**{others}**"
    yield (
        "Forward pass in evaluation mode, as a user would first write it: torch and Paddle eager, JAX and Flax "
        f"compiled by `jax.jit`, all in float32. {HOW_TO_READ}"
    )
    yield from _peaks(run.record)
    yield "All medians, in milliseconds; the fastest is bold, and *tie* marks what cannot be told from it."
    yield markdown(timing.overview(run))
    yield from _cost(run.record)
    yield from tables(run)


def tables(run: Analysis, level: str = "###") -> Iterator[str]:
    """A table a group, each with what the machine allows and how far two processes of one configuration were apart."""
    for group in run.tables:
        cost = run.costs.get(group[0])
        about = f"{CATALOGUE[cost.block].source}. {number(cost.macs)} MACs. " if cost else ""
        yield f"{level} {timing.title(group)}"
        yield markdown(timing.times(run, group))
        yield markdown(timing.conditions(run, group))
        yield about + timing.note(run, group)


def _peaks(record: RunRecord) -> Iterator[str]:
    if not record.peaks:
        return
    copies = ", ".join(f"{rate / 1e9:.0f} GB/s of {size(count)}" for count, rate in record.peaks.copy)
    overhead = ""
    if record.peaks.millisecond:
        overhead = f" A call that spins for 1 ms is timed to take {1e3 * record.peaks.millisecond:.4f} ms."
    yield (
        f"The best of this machine in NumPy, in the same run: {record.peaks.flops / 1e9:.0f} GFLOP/s in a float32 "
        f"matrix product, and copies at (read and written) {copies}.{overhead}"
    )


def _cost(record: RunRecord) -> Iterator[str]:
    seconds = list(record.timed_seconds.values())
    if seconds:
        yield (
            f"The {len(seconds)} tables took {sum(seconds):.0f} s, {min(seconds):.0f} to {max(seconds):.0f} s each. "
            "This includes the reference and building, and in the first table the start of the processes."
        )
