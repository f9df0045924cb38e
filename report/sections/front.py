"""The front page of the report: the results that most readers come for, and where the rest is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.bench.analysis import Analysis
from common.results.measurements import Measurement
from common.results.record import NOT_INSTALLED, Unavailable
from report.paths import FIGURE, PAGE
from report.sections.provenance import Record, anchor, headed
from report.sections.summary import summary_section
from report.sections.timing_tables import overview, title
from report.sections.tuning import Gain, gains
from report.text import Table, markdown, milliseconds, unique

ABOUT = {
    "agreement": "Do they agree?",
    "costs": "What the blocks cost, and what separable convolution saves",
    "times": "How long the blocks take, and what changes the times",
    "tuning": "What tuning buys",
    "training": "Training on real data",
    "accelerators": "Accelerators",
    "method": "What it was run on, and how it was measured",
}
HEADER = ("forward pass", "framework", "as written, ms", "tuned, ms", "times faster", "fastest engine, ms", "machine")


@dataclass(frozen=True)
class Part:
    """A part of the report, and its paragraphs."""

    name: str
    paragraphs: Sequence[str]

    @property
    def path(self) -> str:
        return f"parts/{self.name}.md"

    @property
    def headings(self) -> list[str]:
        """The titles of its sections."""
        return [text.removeprefix("## ") for text in self.paragraphs for text in text.split("\n") if text[:3] == "## "]

    def page(self) -> Iterator[str]:
        """Its page."""
        yield f"# {ABOUT[self.name]}"
        yield f"A part of the [report](../{PAGE})."
        yield from self.paragraphs


def front_page(
    run: Analysis, sweeps: Mapping[str, Analysis], records: Mapping[str, Record | None], parts: Sequence[Part], raw: str
) -> Iterator[str]:
    """The paragraphs of REPORT.md. ``records`` are all that the pages show, by the commands that wrote them."""
    networks = most_told(sweeps)
    missing = sum(len(record.unavailable) for record in records.values() if record)
    yield from summary_section(run, raw, missing)
    if records.get("train"):
        yield (
            f"![The loss of each framework in training, and the band that rounding explains]({FIGURE}) *Training on "
            "real data: [what the curves show](parts/training.md).*"
        )
    if networks:
        yield from headed(_networks(networks), networks.record, run.record)
    elif run.tables:
        yield "## Times"
        yield "Median milliseconds of one forward pass; bold is the fastest, and *tie* is what cannot be told from it."
        yield markdown(overview(run))
    yield "## What to do"
    yield "\n".join(f"- {line}" for line in _advice(networks, {part.name for part in parts}))
    yield from not_available(records)
    yield "## Contents"
    yield "\n".join(_contents(parts))


def _networks(networks: Analysis) -> Iterator[str]:
    yield "## As written, and tuned"
    yield (
        f"Median milliseconds of one forward pass ([all tables](parts/tuning.md#{anchor('What tuning buys')})). "
        "*As written* is what one writes first, in a plain process; *tuned* is the same function in the fastest "
        "form that we know. Bold is the fastest of its column in a network; *tie* is what cannot be told from it."
    )
    yield markdown(as_written_and_tuned(networks))


def most_told(sweeps: Mapping[str, Analysis]) -> Analysis | None:
    """The sweep with tuned variants of most frameworks beside engines, if there is one."""
    return max((run for run in sweeps.values() if any(g.engine for g in gains(run))), key=_frameworks, default=None)


def _frameworks(run: Analysis) -> tuple[int, int]:
    macs = {cost.case: cost.macs for cost in run.record.costs}
    return len({g.tuned.backend for g in gains(run)}), max(macs.get(g.tuned.case, 0) for g in gains(run))


def as_written_and_tuned(run: Analysis) -> Table:
    """A network and framework a row: the reference, the tuned variant and the fastest engine, and the machine."""
    where = run.record.environment
    machine = f"{where['cpu'].partition(' (')[0]}, {where.get('threads a framework', '?')} threads"
    rows = []
    for of_case in _by_case(run):
        written, tuned = ([row(g) for g in of_case] for row in (_reference, _tuned))
        rows += [
            [
                title(gain.tuned.group),
                gain.tuned.config.place,
                _cell(run, gain.reference, written),
                _cell(run, gain.tuned, tuned),
                gain.times_faster.short,
                f"{gain.engine.backend} {milliseconds(gain.engine.median)}" if gain.engine else "",
                machine,
            ]
            for gain in of_case
        ]
    return Table(HEADER, rows)


def _by_case(run: Analysis) -> list[list[Gain]]:
    listed = gains(run)
    return [[g for g in listed if g.tuned.group == group] for group in dict.fromkeys(g.tuned.group for g in listed)]


def _reference(gain: Gain) -> Measurement:
    return gain.reference


def _tuned(gain: Gain) -> Measurement:
    return gain.tuned


def _ties(run: Analysis, rows: Sequence[Measurement]) -> tuple[Measurement, list[Measurement]]:
    """The row of the least median, and the others that cannot be told from it; all intervals hold together."""
    first, *others = sorted(rows, key=lambda m: m.median)
    return first, [m for m in others if not run.ratio(m, first, len(others)).called]


def _cell(run: Analysis, row: Measurement, rows: Sequence[Measurement]) -> str:
    first, ties = _ties(run, rows)
    text = milliseconds(row.median)
    return f"**{text}**" if row is first else f"{text} (tie)" if row in ties else text


def _advice(networks: Analysis | None, parts: set[str]) -> Iterator[str]:
    for of_case in _by_case(networks) if networks else ():
        written, tuned = (_told(networks, [row(g) for g in of_case]) for row in (_reference, _tuned))
        engine = of_case[0].engine
        last = f"; an engine: {engine.backend} ({milliseconds(engine.median)} ms)" if engine else ""
        yield f"**Fastest for {title(of_case[0].tuned.group)}**: as written: {written}; tuned: {tuned}{last}."
    if networks:
        yield "**To get the tuned time:** [what to change, step by step](../docs/fast/index.md)."
    yield (
        "**Is my difference normal?** `convparity compare A B --input 1x3x224x224` says what rounding explains, and "
        "names the first layer that differs; [how large our own margins are](parts/agreement.md#do-they-agree)."
    )
    if "costs" in parts:
        yield (
            "**What does a separable convolution save, and does it arrive?** "
            f"[Counts and times](parts/costs.md#{anchor('Separable against standard')})."
        )
    yield "**To port weights:** `convparity port`; [what differs, by pair of frameworks](../docs/pairs/index.md)."
    yield "**On a GPU:** [what was run on accelerators](parts/accelerators.md)."


def _told(run: Analysis | None, rows: Sequence[Measurement]) -> str:
    assert run
    first, ties = _ties(run, rows)
    text = f"{first.config.place} ({milliseconds(first.median)} ms)"
    return text + (f", in a tie with {', '.join(m.config.place for m in ties)}" if ties else "")


def not_available(records: Mapping[str, Record | None]) -> Iterator[str]:
    """What could not be checked, timed or trained in any of the records, and why."""
    yield "## Not available"
    lost: dict[tuple[str, str, str], list[Unavailable]] = {}
    for command, record in records.items():
        for item in record.unavailable if record else ():
            lost.setdefault((command, item.label, item.reason), []).append(item)
    if not lost:
        yield "Nothing failed, and every framework was installed."
        return
    yield "What could not be run, and why; every other row is complete."
    rows = [[f"`{command}`", label, _what(items), _words(reason)] for (command, label, reason), items in lost.items()]
    yield markdown(Table(["run", "configuration", "what", "why"], rows))


def _what(items: Sequence[Unavailable]) -> str:
    if items[0].stage == NOT_INSTALLED or not items[0].case:
        return f"everything: {items[0].stage}"
    return f"{items[0].stage} of " + ", ".join(unique(title(item.group).strip().replace("` ", "`, ") for item in items))


def _words(reason: str) -> str:
    """The first sentence of an error, without its class and the choices."""
    return re.sub(r"^\w*(Error|UnknownName): ", "", reason).partition("; choose from")[0].partition(". ")[0]


def _contents(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        yield f"- [{ABOUT[part.name]}]({part.path})"
        for heading in part.headings if len(part.headings) > 1 else ():
            short = re.sub(r" \(another run:.*\)$", "", heading)
            yield f"  - [{short}]({part.path}#{anchor(short)})"
