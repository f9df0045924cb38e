"""The files of docs/ as text: pure functions of the recorded facts, the last report's results and the source files."""

from collections.abc import Mapping

from common.bench.analysis import Analysis
from common.results.record import RunRecord, load
from common.spec.catalogue import names
from report.guide import blocks, diagram, fast, pairs, pitfalls, traps
from report.guide import facts as recorded
from report.guide.facts import Facts
from report.guide.page import about, page, run, versions
from report.guide.pitfalls import Pitfall
from report.guide.sources import TITLES
from report.paths import HERE, SWEEPS
from report.sections.separable import savings
from report.text import Table, markdown, milliseconds, number


def pages(record: RunRecord) -> dict[str, str]:
    """Every generated file of docs/ by its path there; ``record`` is the report's."""
    facts, known = recorded.load(), pitfalls.load()
    found = {"index.md": home(known), "about.md": about_page(facts, record), "speed.md": speed(record)}
    found |= dict(fast.fast())
    found["pitfalls/index.md"] = traps.pitfall_list(facts, known)
    found["blocks/index.md"] = blocks.block_list()
    found["pairs/index.md"] = pairs.pair_list()
    for family in names():
        found[f"blocks/{family}.md"] = blocks.block(family, facts, record, known)
        found[f"blocks/{family}.svg"] = diagram.svg(recorded.documented(family))
    for source in TITLES:
        for target in TITLES:
            if source != target:
                found[f"pairs/{pairs.pair_name(source, target)}.md"] = pairs.pair(source, target, facts, known)
    for trap in known:
        found[f"pitfalls/{trap.id}.md"] = traps.pitfall(trap, facts)
    return found


def home(known: tuple[Pitfall, ...]) -> str:
    """docs/index.md."""
    runs = sum(len(trap.targets) for trap in known)
    rows = [
        [f"from {TITLES[source]}", *(pairs.pair_link(source, target, "pairs/") for target in TITLES)]
        for source in TITLES
    ]
    return page(
        "Porting convolution blocks",
        "How a convolution block is written in PyTorch, PaddlePaddle, JAX and Flax, how its weights move between them, "
        "and what goes wrong on the way. The code is cut from the files that the tests run; defaults are read from "
        "signatures or found by running; each pitfall is a naive and a right port, of which a test shows that the one "
        "is wrong, and by how much, and that the other agrees.",
        "## The pages",
        "\n".join(
            [
                f"- [{len(names())} blocks](blocks/index.md): diagram, cost, the four implementations, where each "
                "keeps its arrays, what differs in defaults, and whether they agree.",
                f"- [{len(TITLES) * (len(TITLES) - 1)} pairs](pairs/index.md): the rules of a port from one framework "
                "to another.",
                f"- [{len(known)} pitfalls](pitfalls/index.md), run in {runs} pairs of frameworks.",
                "- [Speed](speed.md): threads about slow depthwise convolutions, and what the report measured.",
                "- [Separable convolutions fast on a CPU](fast/index.md): what to do about it, step by step.",
            ]
        ),
        markdown(Table(["", *(f"to {title}" for title in TITLES.values())], rows)),
        "In a terminal, without any framework: `convparity explain ghost_module --from torch --to paddle`.",
        "[Machines, versions and runs](about.md) of all that was measured.",
    )


def about_page(facts: Facts, record: RunRecord) -> str:
    """docs/about.md: the one page that says which runs the figures of all others are of."""
    sweeps = {path.stem: load(path) for path in sorted((HERE / SWEEPS).glob("*.json"))}
    header = ["sweep", "commit", "date", "machine", "threads"]
    return page(
        "Machines, versions and runs",
        "The other pages lead here: a new run changes this page, and of the others only the figures that differ.",
        "## Facts and pitfalls",
        f"{versions(facts)}; {_where(facts.environment)}. Other versions may differ: the tests say so.",
        "## Checks and times",
        f"Those of the report, `report/REPORT.md`: {_where(record.environment)}.",
        "## Sweeps",
        "Each sweep, `report/sweeps/*.yaml`, is a run of its own, and no table has figures of two.",
        markdown(Table(header, [[f"`{name}`", *_stamp(sweep.environment)] for name, sweep in sweeps.items()])),
    )


def _stamp(environment: Mapping[str, str]) -> list[str]:
    names = ("commit", "date", "cpu", "threads a framework")
    commit, date, cpu, threads = (environment[name] for name in names)
    return [f"`{commit}`", date[:10], cpu, threads]


def _where(environment: Mapping[str, str]) -> str:
    return f"{run(environment)}, {environment['cpu']}, {environment['threads a framework']} threads"


SPEED_THREADS = {
    "https://github.com/jax-ml/jax/issues/23713": "depthwise convolutions of Flax against PyTorch and TensorFlow",
    "https://github.com/google/flax/issues/4207": "the same; its kernel has [one axis](pitfalls/kernel_size_int.md)",
    "https://github.com/pytorch/pytorch/issues/157334": "the opposite on a GPU: PyTorch's slower than JAX's",
    "https://github.com/pytorch/pytorch/issues/13716": "depthwise convolutions of PyTorch on a CPU",
    "https://github.com/pytorch/pytorch/issues/18631": "the same on a GPU; its first numbers were taken without "
    "waiting for the GPU, and turn round with it",
    "https://github.com/jax-ml/jax/issues/13800": "gradients of grouped convolutions in JAX",
    "https://github.com/iamhankai/ghostnet.pytorch/issues/32": "GhostModules for convolutions: slower",
}


def speed(record: RunRecord) -> str:
    """docs/speed.md."""
    found = {(m.case, m.config.label): m for m in record.measurements}
    full, thin = "standard_conv-c128-1x128x56x56", "depthwise_conv-c128-1x128x56x56"
    macs = {c.case: c.macs for c in record.costs}
    rows = [
        [TITLES[name], *(milliseconds(found[case, name].median) for case in (full, thin))]
        for name in TITLES
        if (full, name) in found and (thin, name) in found
    ]
    by_block = {c.block: c.macs for c in record.costs}
    fewer = by_block["conv_stack"] / by_block["separable_stack"]
    stacks = [[TITLES[s.backend], s.input_shape, f"{s.ratio.value:.2f}x"] for s in savings(Analysis(record))]
    return page(
        "Speed",
        "Fewer multiply-accumulates are not less time. No test depends on time, so this is no list of pitfalls that "
        f"execute: the numbers are the report's ({about('checks', folder='')}), which has the spread and the raw "
        "samples (`report/REPORT.md`, `report/results.json`).",
        f"A convolution of 128 channels on 56 x 56, median milliseconds forward: full, {number(macs[full])} MACs, and "
        f"depthwise, {number(macs[thin])} MACs.",
        markdown(Table(["", "full", "depthwise"], rows)),
        f"How many times less the separable stack takes than the standard one, which has {fewer:.1f} times its MACs:"
        if stacks
        else "",
        markdown(Table(["", "input", "times less"], stacks)) if stacks else "",
        "Threads of people who met it:",
        "\n".join(f"- [{traps.thread(url)}]({url}): {what}" for url, what in SPEED_THREADS.items()),
    )
