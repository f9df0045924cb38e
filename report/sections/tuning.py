"""What tuning buys, from runs in which tuned variants took turns with references: pure functions of an Analysis."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import frameworks
from common.bench.analysis import Analysis
from common.bench.statistics import Ratio
from common.config import Config
from common.results.measurements import Measurement
from common.results.record import RunRecord
from report.sections import timing_tables as timing
from report.sections.separable import savings
from report.sections.sweeps import missing
from report.sections.timing import tables
from report.text import Table, markdown, milliseconds, ran

VARIANTS = REFERENCE, TUNED = "reference", "tuned"


@dataclass(frozen=True)
class Gain:
    """A tuned variant beside the reference of its framework in one table, and the fastest engine if there is one.

    ``times_faster`` is the reference's time over the tuned one's; ``engine_over_tuned`` above 1 is an engine slower.
    """

    reference: Measurement
    tuned: Measurement
    times_faster: Ratio
    engine: Measurement | None
    engine_over_tuned: Ratio | None


def gains(run: Analysis) -> list[Gain]:
    """Every tuned variant against the reference of its framework that was listed first; a table's hold together."""
    found = []
    for group in run.tables:
        table = [m for m in run.record.measurements if m.group == group]
        usual = {m.config.place: m for m in reversed(table) if m.config.variant == REFERENCE}
        tuned = [m for m in table if m.config.variant == TUNED and m.config.form == "usual" and m.config.place in usual]
        engine = min((m for m in table if m.backend in frameworks.ENGINES), key=lambda m: m.median, default=None)
        pairs = len(tuned) * (2 if engine else 1)
        for m in tuned:
            over = run.ratio(engine, m, pairs) if engine else None
            plain = usual[m.config.place]
            found.append(Gain(plain, m, run.ratio(plain, m, pairs), engine, over))
    return found


def table(run: Analysis) -> Table:
    """A gain a row; the share of the roofline and the engine where they are known."""
    found = gains(run)
    bounds = {gain.tuned.group: run.bound(gain.tuned.group) for gain in found}
    engines = any(gain.engine for gain in found)
    bounded = any(bounds.values())

    def row(gain: Gain) -> list[str]:
        least = bounds[gain.tuned.group]
        shares = f"{least / gain.reference.median:.0%} to {least / gain.tuned.median:.0%}" if least else ""
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
    return Table(header, [row(gain) for gain in found])


def configs(run: Analysis) -> list[Config]:
    """A sweep's configurations in its order: those of the group in which most could be timed."""
    groups = [[m.config for m in run.record.measurements if m.group == group] for group in run.tables]
    return max(groups, key=len)


def steps(run: Analysis) -> Table:
    """The configurations of one framework in the order of the sweep: each against the one before and the first."""
    order, rows = configs(run), []
    for group, table in run.tables.items():
        found = {m.config: m for m in table}
        for i, config in enumerate(order):
            m, others = found.get(config), [found.get(other) for other in (order[i - 1], order[0])] if i else [None] * 2
            texts = [run.ratio(other, m, 2 * len(order)).text if other and m else "" for other in others]
            times = [milliseconds(m.median), f"{m.threads_used:.1f}"] if m else ["not available", ""]
            rows.append([timing.title(group), config.label, *times, *texts])
    header = ["case", "configuration", "median ms", "threads used", "times faster than before", "than the first"]
    return Table(header, rows)


def has_tuned(record: RunRecord) -> bool:
    """Whether a sweep is one of these."""
    return any(m.config.variant == TUNED for m in record.measurements)


def single(record: RunRecord) -> bool:
    """Whether a sweep is of one framework, step by step."""
    return len({m.backend for m in record.measurements}) == 1


def tuning_section(sweeps: Mapping[str, Analysis]) -> Iterator[str]:
    """The section on all sweeps in which there are tuned variants."""
    found = {name: run for name, run in sweeps.items() if has_tuned(run.record)}
    if not found:
        return
    yield "## What tuning buys"
    yield (
        "`tuned` is the same function, held to the same checks, in the fastest form that was found for each framework "
        "on a CPU: `frameworks/*/tuned/`, explained step by step in [docs/fast](../docs/fast/index.md). Ratios are of "
        "configurations that took turns; brackets as in the tables above, and all that stand in one table of a case "
        "hold together. *Of the bound*: what the reference reaches of the roofline, and what the tuned variant does."
    )
    networks_first = sorted(found.items(), key=lambda item: -len({m.backend for m in item[1].record.measurements}))
    for name, run in networks_first:
        record = run.record
        if single(record):
            continue
        yield f"### {record.title or name}"
        yield f"{record.about} From {ran(record, f'sweep report/sweeps/{name}.yaml')}.".strip()
        yield from missing(record)
        yield markdown(table(run))
        yield from _arrives(run)
        yield "\n\n".join(["<details><summary>Every table</summary>", *tables(run, "####"), "</details>"])


def _arrives(run: Analysis) -> Iterator[str]:
    """How much of what the separable stack saves in MACs arrives as time, before and after."""
    macs = {c.block: c.macs for c in run.record.costs}
    found = {(s.standard.backend, s.standard.config.variant): s.ratio for s in savings(run)}
    names = [name for name, variant in found if variant == TUNED and (name, REFERENCE) in found]
    if not names:
        return
    fewer = macs["conv_stack"] / macs["separable_stack"]
    yield (
        f"**How much of the {fewer:.1f}x arrives?** The separable stack has {fewer:.1f} times fewer MACs than the "
        "standard one. How many times less time it takes in each framework, before and after, and each framework's "
        "tuned separable stack against the *fastest* tuned standard one:"
    )
    tuned = {(m.block, m.backend): m for m in run.record.measurements if m.config.variant == TUNED}
    best = min((m for (block, _), m in tuned.items() if block == "conv_stack"), key=lambda m: m.median)
    rows = [
        [
            name,
            *(f"{found[name, v].value:.2f}x [{found[name, v].low:.2f}, {found[name, v].high:.2f}]" for v in VARIANTS),
            f"{best.median / tuned['separable_stack', name].median:.2f}x ({best.backend})",
        ]
        for name in names
    ]
    yield markdown(Table(["framework", "reference", "tuned", "tuned, against the fastest standard"], rows))
