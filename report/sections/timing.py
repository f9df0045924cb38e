"""The report's sections on time and memory: pure functions from RunRecords to Markdown."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from common.bench import statistics
from common.bench.statistics import CONFIDENCE, Ratio
from common.config import Config
from common.results.measurements import Measurement
from common.results.record import RunRecord
from common.spec.catalogue import CATALOGUE
from report.sections import timing_tables as timing
from report.sections.tables import markdown, milliseconds, number, ran, size

ALONE = 1.2  # threads used, up to which it is one
HOW_TO_READ = (
    "*Against the fastest* is the median of ratios taken round by round, averaged over the pairs of the two "
    "configurations' processes, with an interval that holds the scatter of "
    "rounds (a bootstrap) and what processes differ from one another (the A/A spread); the intervals of all pairs of "
    f"a table hold together with {CONFIDENCE:.0%} (Bonferroni). *Tie*: the interval has 1 in it, so no difference is "
    "claimed. *Rank*: the places that the intervals leave open. *First call* includes compilation. *Threads used* is "
    "processor time over wall time. *Samples* is their number, each of so many calls. *Disturbed* is how many of them "
    "the hypervisor took more than a hundredth of, or found the processor a quarter slower than usual just before; "
    "none is left out. *Of the bound* is the least time that this machine's peaks allow for a direct convolution, over "
    "the median: Winograd's algorithm may pass 100%."
)


def times(record: RunRecord) -> Iterator[str]:
    """The section on the run's own times."""
    groups = timing.groups(record)
    if not groups:
        return
    yield "## How long they take"
    yield (
        "Forward pass in evaluation mode, as a user would first write it: torch and Paddle eager, JAX and Flax "
        f"compiled by `jax.jit`, all in float32. {HOW_TO_READ}"
    )
    yield from _peaks(record)
    yield "At a glance, in milliseconds; bold is the fastest and whatever is a tie with it."
    yield markdown(timing.overview(record))
    yield from _cost(record)
    yield from tables(record)


def tables(record: RunRecord, level: str = "###") -> Iterator[str]:
    """A table a group, each with what its machine allows and how far twins were apart."""
    costs = {c.case: c for c in record.costs}
    for group in timing.groups(record):
        cost = costs.get(group[0])
        about = f"{CATALOGUE[cost.block].source}. {number(cost.macs)} MACs. " if cost else ""
        yield f"{level} {timing.title(group)}"
        yield markdown(timing.times(record, group))
        yield about + timing.note(record, group)


def _peaks(record: RunRecord) -> Iterator[str]:
    if not record.peaks:
        return
    copies = ", ".join(f"{rate / 1e9:.0f} GB/s of {size(count)}" for count, rate in record.peaks.copy)
    overhead = ""
    if record.peaks.millisecond:
        overhead = f" A call that spins for 1 ms is timed to take {1e3 * record.peaks.millisecond:.4f} ms."
    yield (
        f"What the machine did at best, in the same run, in NumPy: {record.peaks.flops / 1e9:.0f} GFLOP/s in a float32 "
        f"matrix product, and copies at (read and written) {copies}.{overhead}"
    )


def _cost(record: RunRecord) -> Iterator[str]:
    seconds = list(record.timed_seconds.values())
    if seconds:
        yield (
            f"The {len(seconds)} tables took {sum(seconds):.0f} s, {min(seconds):.0f} to {max(seconds):.0f} s each, "
            "the reference and building included, and in the first the start of the processes."
        )


def calibration(record: RunRecord) -> Iterator[str]:
    """The section on a run in which everything was timed against itself."""
    table, inside, of = timing.same(record)
    if not of:
        return
    apart = [ratio for group in timing.groups(record) for ratio in timing.twins(timing.rows(record, group))]
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


def sweep(record: RunRecord, name: str) -> Iterator[str]:
    """The section of one sweep."""
    yield f"## {record.title or name}"
    yield f"{record.about} From {ran(record, f'sweep report/sweeps/{name}.yaml')}.".strip()
    yield from missing(record)
    yield markdown(timing.overview(record))
    if record.memory:
        yield (
            "Memory of one call beyond what its process held before it (peak resident memory; arrays handed over, "
            "weights and compiled code are not in it). Where an allocator has kept what an earlier call freed, a part "
            "of it is hidden: so a peak below *planned*, which XLA said it needs for temporaries and output, is too "
            "small. "
            "*All activations* counts every layer's output once, as if none were freed."
        )
        yield markdown(timing.memory(record))
    yield "\n\n".join(["<details><summary>Every table</summary>", *tables(record), "</details>"])


def missing(record: RunRecord) -> Iterator[str]:
    """What a sweep could not time, and why."""
    if record.unavailable:
        reasons = [f"{timing.title(u.group)} {u.label}: {u.reason}" for u in record.unavailable]
        yield "Not available: " + "; ".join(dict.fromkeys(reasons)) + "."


def effects(records: Sequence[RunRecord]) -> Iterator[str]:
    """What moves the clock beside the code, as far as the records show it: a sentence each."""
    lines = [*_depthwise(records), *_unset(records), *_faults(records)]
    if lines:
        yield "## What else moves the clock"
        yield "\n".join(f"- {line}" for line in lines)


def _against(records: Sequence[RunRecord], **changed: str) -> list[tuple[Measurement, Ratio]]:
    """Measurements of a changed configuration with their ratio to the unchanged one of the same table."""
    found = []
    for record in records:
        noise = statistics.spread(record.measurements)
        usual = {m.key: m for m in record.measurements}
        for m in record.measurements:
            plain = replace(m.config, **{name: getattr(Config(""), name) for name in changed})
            other = usual.get((*m.group, plain))
            if other and all(getattr(m.config, name) == value for name, value in changed.items()):
                found.append((m, statistics.ratio(m, other, noise)))
    return found


def _depthwise(records: Sequence[RunRecord]) -> Iterator[str]:
    for record in records:
        noise = statistics.spread(record.measurements)
        for group in timing.groups(record):
            found = timing.rows(record, group)
            plain = [m for m in found if m.backend == "jax" and m.config.variant == "reference"]
            slow = next((m for m in plain if m.block == "depthwise_conv"), None)
            if not slow or group[1] != "forward" or slow.threads_used > ALONE:
                continue
            against = statistics.ratio(slow, found[0], noise, math.comb(len(found), 2))
            if against.called:
                yield (
                    f"**JAX's depthwise convolution** runs on one thread ({slow.threads_used:.1f} used) and takes "
                    f"{against.text} of {found[0].config.label}'s time on {timing.title(group)}, as "
                    "others have found ([jax#23713](https://github.com/jax-ml/jax/issues/23713))."
                )
                return


def _unset(records: Sequence[RunRecord]) -> Iterator[str]:
    found = _against(records, threads="unset")
    for m, ratio in _largest([pair for pair in found if pair[0].backend == "paddle" and pair[0].threads_used < ALONE]):
        yield (
            f"**Paddle in a plain process** computes on one thread ({m.threads_used:.1f} used): it sets "
            f"`OMP_NUM_THREADS` to 1 when it is not set, and takes {ratio.text} of the time with this run's threads on "
            f"{timing.title(m.group)}, {milliseconds(m.median)} ms."
        )


def _faults(records: Sequence[RunRecord]) -> Iterator[str]:
    for m, ratio in _largest(_against(records, allocator="tuned")):
        yield (
            f"**Page faults:** glibc gives large arrays back to the system after every operation and faults them in "
            f"again at the next; told to keep them, {m.backend} takes {ratio.text} of the time on "
            f"{timing.title(m.group)}, {milliseconds(m.median)} ms."
        )


def _largest(found: Sequence[tuple[Measurement, Ratio]]) -> list[tuple[Measurement, Ratio]]:
    """The one whose ratio is farthest from 1, of those that are called a difference."""
    return sorted((pair for pair in found if pair[1].called), key=lambda pair: abs(math.log(pair[1].value)))[-1:]
