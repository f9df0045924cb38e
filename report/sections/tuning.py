"""What tuning buys, from runs in which tuned variants took turns with references: pure functions of an Analysis."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import frameworks
from common.bench.analysis import Analysis
from common.bench.ratio import Ratio
from common.config import Config
from common.results.measurements import Measurement
from common.results.record import RunRecord
from report.sections import timing_tables as timing
from report.sections.provenance import headed
from report.sections.separable import savings
from report.sections.sweeps import missing
from report.sections.timing import tables
from report.text import Table, markdown, milliseconds, percent, ran

VARIANTS = REFERENCE, TUNED = "reference", "tuned"


@dataclass(frozen=True)
class Gain:
    """A tuned variant and the reference of its framework in one table, and the fastest engine if there is one.

    ``times_faster`` is the reference's time over the tuned one's. ``engine_over_tuned`` is above 1 if the engine is
    slower.
    """

    reference: Measurement
    tuned: Measurement
    times_faster: Ratio
    engine: Measurement | None
    engine_over_tuned: Ratio | None


def gains(run: Analysis) -> list[Gain]:
    """Every tuned variant against the first reference of its framework; a table's intervals hold together."""
    pairs = []
    for group in run.tables:
        table = [m for m in run.record.measurements if m.group == group]
        usual = {m.config.place: m for m in reversed(table) if m.config.variant == REFERENCE}
        tuned = [m for m in table if m.config.variant == TUNED and m.config.form == "usual" and m.config.place in usual]
        engine = min((m for m in table if m.backend in frameworks.ENGINES), key=lambda m: m.median, default=None)
        comparisons = len(tuned) * (2 if engine else 1)
        for m in tuned:
            over = run.ratio(engine, m, comparisons) if engine else None
            plain = usual[m.config.place]
            pairs.append(Gain(plain, m, run.ratio(plain, m, comparisons), engine, over))
    return pairs


def table(run: Analysis) -> Table:
    """A gain a row; with the share of the roofline and the engine, if they are known."""
    listed = gains(run)
    bounds = {gain.tuned.group: run.bound(gain.tuned.group) for gain in listed}
    engines = any(gain.engine for gain in listed)
    bounded = any(bounds.values())

    def row(gain: Gain) -> list[str]:
        least = bounds[gain.tuned.group]
        shares = " to ".join(percent(least / m.median) for m in (gain.reference, gain.tuned)) if least else ""
        engine = ""
        if gain.engine and gain.engine_over_tuned:
            engine = f"{gain.engine.backend} {milliseconds(gain.engine.median)} ms: {gain.engine_over_tuned.text}"
        return [
            timing.title(gain.tuned.group),
            gain.tuned.config.place,
            milliseconds(gain.reference.median),
            milliseconds(gain.tuned.median),
            gain.times_faster.text,
            *([shares] if bounded else []),
            *([engine] if engines else []),
        ]

    header = ["case", "framework", "reference ms", "tuned ms", "times faster"]
    header += ["of the bound"] if bounded else []
    header += ["fastest engine over tuned"] if engines else []
    return Table(header, [row(gain) for gain in listed])


def configs(run: Analysis) -> list[Config]:
    """A sweep's configurations in its order: those of the group in which most could be timed."""
    groups = [[m.config for m in run.record.measurements if m.group == group] for group in run.tables]
    return max(groups, key=len)


def steps(run: Analysis) -> Table:
    """The configurations of one framework in the order of the sweep: each against the one before and the first."""
    order, rows = configs(run), []
    for group, table in run.tables.items():
        by_config = {m.config: m for m in table}
        for i, config in enumerate(order):
            m = by_config.get(config)
            others = [by_config.get(other) for other in (order[i - 1], order[0])] if i else [None] * 2
            texts = [run.ratio(other, m, 2 * len(order)).text if other and m else "" for other in others]
            times = [milliseconds(m.median), f"{m.threads_used:.1f}"] if m else ["not available", ""]
            rows.append([timing.title(group), config.label, *times, *texts])
    header = ["case", "configuration", "median ms", "threads used", "times faster than before", "than the first"]
    return Table(header, rows)


def has_tuned(record: RunRecord) -> bool:
    """Whether a sweep has tuned variants."""
    return any(m.config.variant == TUNED for m in record.measurements)


def single(record: RunRecord) -> bool:
    """Whether a sweep is about one framework, step by step."""
    return len({m.backend for m in record.measurements}) == 1


def tuning_section(sweeps: Mapping[str, Analysis], of_page: RunRecord) -> Iterator[str]:
    """The section on all sweeps in which there are tuned variants, in the page of a run."""
    with_tuned = {name: run for name, run in sweeps.items() if has_tuned(run.record)}
    if not with_tuned:
        return
    yield "## What tuning buys"
    yield (
        "`tuned` is the same function, with the same checks, in the fastest form that we know for each framework on a "
        "CPU: `frameworks/*/tuned/`, explained step by step in [docs/fast](../../docs/fast/index.md). The "
        "configurations of a ratio took turns. Brackets show intervals; all intervals in one table of a case hold "
        "together. *Of the bound*: the share of the roofline that the reference reaches, and that the tuned "
        "variant reaches."
    )
    networks_first = sorted(with_tuned.items(), key=lambda item: -len({m.backend for m in item[1].record.measurements}))
    for name, run in networks_first:
        if not single(run.record):
            yield from headed(_swept(run, name), run.record, of_page)


def _swept(run: Analysis, name: str) -> Iterator[str]:
    record = run.record
    yield f"### {record.title or name}"
    yield f"{record.about} From {ran(record, f'sweep report/sweeps/{name}.yaml')}.".strip()
    if others := timing.crowd(run):
        yield f"**{others}**"
    yield from missing(record)
    yield markdown(table(run))
    yield from _arrives(run)
    yield "\n\n".join(["<details><summary>Every table</summary>", *tables(run, "####"), "</details>"])


def _arrives(run: Analysis) -> Iterator[str]:
    """How much of the separable stack's saving in MACs shows in the time, before and after tuning."""
    macs = {c.block: c.macs for c in run.record.costs}
    ratios = {(s.standard.backend, s.standard.config.variant): s.ratio for s in savings(run)}
    names = [name for name, variant in ratios if variant == TUNED and (name, REFERENCE) in ratios]
    if not names:
        return
    fewer = macs["conv_stack"] / macs["separable_stack"]
    yield (
        f"**How much of the {fewer:.1f}x shows in the time?** The separable stack has {fewer:.1f} times fewer MACs "
        "than the standard one. The table says how many times less time it takes in each framework, before and after "
        "tuning, and compares each framework's tuned separable stack with the *fastest* tuned standard one:"
    )
    tuned = {(m.block, m.backend): m for m in run.record.measurements if m.config.variant == TUNED}
    best = min((m for (block, _), m in tuned.items() if block == "conv_stack"), key=lambda m: m.median)
    rows = [
        [
            name,
            *(ratios[name, variant].text for variant in VARIANTS),
            f"{run.unpaired(best, tuned['separable_stack', name]).text} ({best.backend})",
        ]
        for name in names
    ]
    yield markdown(Table(["framework", "reference", "tuned", "tuned, against the fastest standard"], rows))
