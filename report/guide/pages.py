"""The files of docs/ as text: pure functions of the recorded facts, the last report's results and the source files."""

from collections.abc import Mapping

from common.results.record import RunRecord, load
from common.spec.catalogue import names
from report.guide import blocks, diagram, fast, pairs, pitfall_pages, pitfalls, way
from report.guide import facts as recorded
from report.guide.facts import Facts
from report.guide.page import page, run, versions
from report.guide.pitfalls import Pitfall
from report.guide.sources import TITLES
from report.paths import HERE, SWEEPS
from report.text import Table, markdown


def pages(record: RunRecord) -> dict[str, str]:
    """Every generated file of docs/ by its path there; ``record`` is the report's."""
    facts, known = recorded.load(), pitfalls.load()
    texts = {"index.md": home(known), "about.md": about_page(facts, record)}
    texts |= {**dict(fast.fast(record)), **dict(way.way())}
    texts["pitfalls/index.md"] = pitfall_pages.pitfall_list(facts, known)
    texts["pitfalls/symptoms.md"] = pitfall_pages.symptoms(known)
    texts["blocks/index.md"] = blocks.block_list()
    texts["pairs/index.md"] = pairs.pair_list()
    for family in names():
        texts[f"blocks/{family}.md"] = blocks.block(family, facts, record, known)
        texts[f"blocks/{family}.svg"] = diagram.svg(recorded.documented(family))
    for source in TITLES:
        for target in TITLES:
            if source != target:
                texts[f"pairs/{pitfalls.pair_name(source, target)}.md"] = pairs.pair(source, target, facts, known)
    for pitfall in known:
        texts[f"pitfalls/{pitfall.id}.md"] = pitfall_pages.pitfall_page(pitfall, facts)
    return texts


def home(known: tuple[Pitfall, ...]) -> str:
    """docs/index.md."""
    runs = sum(len(pitfall.ports) for pitfall in known)
    rows = [
        [f"from {TITLES[source]}", *(pairs.pair_link(source, target, "pairs/") for target in TITLES)]
        for source in TITLES
    ]
    return page(
        "Porting convolution blocks",
        "How a convolution block is written in PyTorch, PaddlePaddle, JAX and Flax, how its weights move between them, "
        "and what goes wrong on the way. The code is cut from the files that the tests run. Defaults are read from "
        "signatures or come from running the frameworks. Each pitfall is a naive and a right port: a test shows that "
        "the naive one is wrong, and by how much, and that the right one agrees.",
        "## The pages",
        "\n".join(
            [
                f"- [{len(names())} blocks](blocks/index.md): diagram, cost, the four implementations, where each "
                "keeps its arrays, what differs in defaults, and whether they agree.",
                f"- [{len(TITLES) * (len(TITLES) - 1)} pairs](pairs/index.md): the rules of a port from one framework "
                "to another.",
                f"- [{len(known)} pitfalls](pitfalls/index.md), run in {runs} pairs of frameworks; also "
                "[by what you see](pitfalls/symptoms.md).",
                "- [The way through a port](port/index.md): a network ported to Paddle and to Flax, step by step, each "
                "with what proves it. Begin here.",
                "- [Separable convolutions fast on a CPU](fast/index.md): fewer operations are not always less time; "
                "what to do about it, step by step.",
            ]
        ),
        markdown(Table(["", *(f"to {title}" for title in TITLES.values())], rows)),
        "In a terminal, without any framework: `convparity explain ghost_module --from torch --to paddle`, and "
        "`convparity explain --symptom training-diverges --from torch --to paddle`.",
        "[Machines, versions and runs](about.md) of all measurements.",
    )


UNTESTED = """\
- The rows under *Not tested* on the page of each pair.
- The *porting notes* of the blocks: they are sentences of the code that the page shows.
- The text of a pitfall. Its ports are run: the naive one is wrong and the right one agrees, in the range shown.
- The explanations in docs/fast and docs/upstream. The code and the figures beside them are run and measured.
- What the linked threads say."""


def about_page(facts: Facts, record: RunRecord) -> str:
    """docs/about.md: the one page that names the runs of the figures on all other pages."""
    sweeps = {path.stem: load(path) for path in sorted((HERE / SWEEPS).glob("*.json"))}
    header = ["sweep", "commit", "date", "machine", "threads"]
    return page(
        "Machines, versions and runs",
        "The other pages link to this one. A new run changes this page, and on others only the figures that differ.",
        "## Facts and pitfalls",
        f"{versions(facts)}; {_where(facts.environment)}. Other versions may differ; the tests then fail.",
        "## Checks and times",
        f"From the report, `report/REPORT.md`: {_where(record.environment)}.",
        "## Sweeps",
        "Each sweep, `report/sweeps/*.yaml`, is a separate run. No table has figures of two.",
        markdown(Table(header, [[f"`{name}`", *_stamp(sweep.environment)] for name, sweep in sweeps.items()])),
        "## What no test covers",
        UNTESTED,
    )


def _stamp(environment: Mapping[str, str]) -> list[str]:
    names = ("commit", "date", "cpu", "threads a framework")
    commit, date, cpu, threads = (environment[name] for name in names)
    return [f"`{commit}`", date[:10], cpu, threads]


def _where(environment: Mapping[str, str]) -> str:
    return f"{run(environment)}, {environment['cpu']}, {environment['threads a framework']} threads"
