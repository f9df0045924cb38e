"""The pages of the blocks."""

from collections.abc import Callable

from common.port.facts import NOTHING, QUESTIONS
from common.results.record import RunRecord
from common.spec.catalogue import CATALOGUE, names
from common.spec.costs import cost
from report.guide import diagram, sources
from report.guide.facts import Facts, documented
from report.guide.page import about, code, page, tabs
from report.guide.pitfalls import Pitfall
from report.guide.sources import TITLES
from report.text import Table, markdown, number, shape, size


def block_list() -> str:
    """docs/blocks/index.md."""
    rows = []
    for family in names():
        case = documented(family)
        costs = cost(case.spec, case.input_shape)
        rows.append(
            [f"[`{family}`]({family}.md)", shape(case.input_shape), number(costs.trainable), number(costs.macs)]
        )
    return page("Blocks", markdown(Table(["block", "input shown", "trainable", "MACs"], rows)))


def block(family: str, facts: Facts, record: RunRecord, pitfalls: tuple[Pitfall, ...]) -> str:
    """docs/blocks/<family>.md."""
    case = documented(family)
    kinds = {type(node.layer).__name__: node.layer for node in case.spec.nodes}
    return page(
        f"`{family}`",
        f"Source: {CATALOGUE[family].source}. Shown: case `{case.id}`, input {shape(case.input_shape)}.",
        "## Diagram",
        f"![The layers of {family}, top to bottom]({family}.svg)",
        "## Formulas and cost",
        code("\n".join(f"{kind}: {layer.formula}" for kind, layer in kinds.items()), "text"),
        _costs(family),
        "## Implementations",
        "Cut from the files that the tests run. Code that a block uses from other files of its framework comes first.",
        tabs({TITLES[name]: code(sources.block_code(name, family)) for name in TITLES}),
        "## Where the arrays are",
        "Canonical kernels are OIHW, linear weights [out, in]. *Transpose* leads from the canonical array to the "
        "framework's; it was determined by comparing their values. `*` stands for any number.",
        tabs({TITLES[name]: parameters(facts, name, family) for name in TITLES}),
        "## What differs in defaults",
        "Only rows that concern the layers of this block and in which the frameworks differ. All rows are on the "
        "[pages of the pairs](../pairs/index.md).",
        answers(facts, list(TITLES), lambda concerned: bool(set(concerned) & kinds.keys()), only_differing=True),
        "Pitfalls of these layers:",
        "\n".join(f"- {pitfall.link('../pitfalls/')}" for pitfall in pitfalls if set(pitfall.layers) & kinds.keys()),
        "## Do they agree?",
        f"Compared with the float64 reference in the report's last run ({about('checks')}). The number is the margin: "
        "how many times larger the error could have been at the worst element.",
        _checks(family, record),
    )


def _costs(family: str) -> str:
    case = documented(family)
    rows = []
    for step in diagram.steps(case):
        times = f" (x {step.times}, sizes of the first)" if step.times > 1 else ""
        rows.append([f"`{step.name}`{times}", shape(step.output), number(step.weights), number(step.macs)])
    costs = cost(case.spec, case.input_shape)
    total = ["**all**", shape(case.spec.output_shape(case.input_shape)), number(costs.trainable), number(costs.macs)]
    rules = dict.fromkeys(node.layer.cost for node in case.spec.nodes if node.layer.cost)
    return "\n\n".join(
        [
            markdown(Table(["layer", "output", "trainable", "MACs"], [*rows, total])),
            "; ".join(rules) + ".",
            f"{number(costs.flops)} FLOPs (2 x MACs), {number(costs.buffers)} buffer values, weights "
            f"{size(costs.weight_bytes)}, activations {size(costs.activation_bytes)} in float32.",
        ]
    )


def parameters(facts: Facts, name: str, family: str) -> str:
    """A framework's names, shapes and transposes for a block's arrays."""
    rows = [
        [
            f"`{row.canonical}`",
            f"`{row.native}`",
            row.shape,
            NOTHING if row.axes == tuple(range(len(row.axes))) else str(row.axes),
        ]
        for row in facts.frameworks[name].parameters[family]
    ]
    return markdown(Table(["canonical", TITLES[name], "shape", "transpose"], rows))


def answers(
    facts: Facts, chosen: list[str], wanted: Callable[[tuple[str, ...]], bool], only_differing: bool = False
) -> str:
    """A table of the answers: a question a row, a framework a column."""
    rows = []
    for key, question in QUESTIONS.items():
        texts = [facts.frameworks[name].answers[key] for name in chosen]
        if wanted(question.layers) and not (only_differing and len(set(texts)) == 1):
            rows.append([question.label, *texts])
    return markdown(Table(["", *(TITLES[name] for name in chosen)], rows))


def _checks(family: str, record: RunRecord) -> str:
    cases = list(dict.fromkeys(r.case for r in record.checks if r.block == family))
    if not cases:
        return "The report's last run did not have this block: `make report` compares it."

    def cell(case: str, name: str) -> str:
        results = [r for r in record.checks if r.case == case and r.backend == name]
        if not results:
            return "not run"
        margins = [r.margin for r in results if r.margin is not None]
        return ("agrees" if all(r.passed for r in results) else "**DIFFERS**") + (
            f", {min(margins):.1f}" if margins else ""
        )

    rows = [[f"`{case}`", *(cell(case, name) for name in TITLES)] for case in cases]
    return markdown(Table(["case", *TITLES.values()], rows))
