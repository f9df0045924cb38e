"""The pages of the pairs: the rules of a port from one framework to another."""

from common.port.facts import ARGUMENTS, NOTHING, QUESTIONS
from report.guide import rules
from report.guide.facts import Facts
from report.guide.page import about, page
from report.guide.pitfalls import Pitfall, pair_name
from report.guide.sources import TITLES
from report.text import Table, markdown

TURNED = " (Run in the other direction.)"


def pair_link(source: str, target: str, folder: str = "") -> str:
    """A cell of the table of pairs."""
    if source == target:
        return NOTHING
    return f"[{TITLES[source]} → {TITLES[target]}]({folder}{pair_name(source, target)}.md)"


def pair_list() -> str:
    """docs/pairs/index.md."""
    rows = [[f"from {TITLES[a]}", *(pair_link(a, b) for b in TITLES)] for a in TITLES]
    return page("Pairs", markdown(Table(["", *(f"to {title}" for title in TITLES.values())], rows)))


def pair(source: str, target: str, facts: Facts, pitfalls: tuple[Pitfall, ...]) -> str:
    """docs/pairs/<source>-to-<target>.md."""
    return page(
        f"{TITLES[source]} → {TITLES[target]}",
        "Everything but the last table was read from the signatures or comes from running the frameworks "
        f"({about('facts')}). Tests check it again.",
        "## Rules",
        rules.table(rules.derived(facts, source, target), source, target),
        "## Arguments and defaults",
        "An argument without `=` has no default." + _operations(source, target),
        [f"### {layer}\n\n{arguments(facts, layer, source, target)}" for layer in ARGUMENTS],
        "## Arrays",
        f"Those of `mobilenet_v1`, which has every kind. The transpose is from {TITLES[source]} to {TITLES[target]}.",
        moves(facts, source, target, "mobilenet_v1"),
        "## Defaults and behaviour",
        [
            f"### {topic[0].upper()}{topic[1:]}\n\n{_topic(facts, topic, source, target)}"
            for topic in dict.fromkeys(question.topic for question in QUESTIONS.values())
        ],
        "## Pitfalls",
        _pitfall_links(facts, pitfalls, source, target),
        "## Not tested",
        "No test covers these rows.",
        markdown(
            Table(
                ["", TITLES[source], TITLES[target]],
                [[topic, text[source], text[target]] for topic, text in rules.PROSE.items()],
            )
        ),
    )


def _operations(*chosen: str) -> str:
    return (
        " JAX has operations instead of layers; its BatchNorm and dropout are from `frameworks/jax/layers.py`."
        if "jax" in chosen
        else ""
    )


def _cell(text: str) -> str:
    return f"`{text}`" if text else NOTHING


def arguments(facts: Facts, layer: str, source: str, target: str) -> str:
    """One layer's arguments, side by side."""
    old, new = (facts.frameworks[name].arguments[layer] for name in (source, target))
    rows = [
        [concept, _cell(old.get(concept, "")), _cell(new.get(concept, ""))]
        for concept in ARGUMENTS[layer]
        if concept in old or concept in new
    ]
    return markdown(Table([f"{layer}", TITLES[source], TITLES[target]], rows)) if rows else "Neither has arguments."


def moves(facts: Facts, source: str, target: str, family: str) -> str:
    """Where each array of a block is in both, and the transpose between."""
    old = {row.canonical: row for row in facts.frameworks[source].parameters[family]}
    rows = [
        [f"`{old[row.canonical].native}`", f"`{row.native}`", row.shape, rules.transpose(old[row.canonical], row)]
        for row in facts.frameworks[target].parameters[family]
    ]
    return markdown(Table([TITLES[source], TITLES[target], f"shape in {TITLES[target]}", "transpose"], rows))


def _topic(facts: Facts, topic: str, source: str, target: str) -> str:
    rows = []
    for key, question in QUESTIONS.items():
        if question.topic == topic:
            old, new = (facts.frameworks[name].answers[key] for name in (source, target))
            rows.append([question.label, old, new if old == new else f"**{new}**"])
    return markdown(Table(["", TITLES[source], TITLES[target]], rows))


def concerning(pitfalls: tuple[Pitfall, ...], source: str, target: str) -> list[tuple[Pitfall, str]]:
    """The pitfalls of a port, each with the pair of its run; then those that were run in the other direction."""
    direct = [(pitfall, ran) for pitfall in pitfalls if (ran := pitfall.run_as(source, target))]
    turned = [(pitfall, ran) for pitfall in pitfalls if (ran := pitfall.run_as(target, source))]
    return direct + [(pitfall, ran) for pitfall, ran in turned if not pitfall.run_as(source, target)]


def _pitfall_links(facts: Facts, pitfalls: tuple[Pitfall, ...], source: str, target: str) -> list[str]:
    def listed(chosen: list[tuple[Pitfall, str]]) -> str:
        rows = [[pitfall.link("../pitfalls/"), facts.pitfalls[pitfall.id][ran][0].detail] for pitfall, ran in chosen]
        return markdown(Table(["pitfall", "the naive port"], rows)) if rows else ""

    ports = concerning(pitfalls, source, target)
    turned = listed([(pitfall, ran) for pitfall, ran in ports if ran == pitfall.run_as(target, source)])
    return [
        listed([(pitfall, ran) for pitfall, ran in ports if ran == pitfall.run_as(source, target)]),
        f"These were run in the other direction, from {TITLES[target]} to {TITLES[source]}; the difference is the same:"
        if turned
        else "",
        turned,
    ]
