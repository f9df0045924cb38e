"""One block, from one framework to another, on one page: what `convparity explain` prints."""

from collections.abc import Iterator

from common.names import UnknownName, known
from common.port.facts import ARGUMENTS
from common.spec.catalogue import names
from report.guide import diagram, facts, pitfall_pages, pitfalls, rules, sources
from report.guide.blocks import answers
from report.guide.facts import Facts
from report.guide.page import GENERATED, code, page, run, versions
from report.guide.pairs import TURNED, arguments, concerning, moves
from report.guide.sources import TITLES


def explain(family: str, source: str, target: str) -> str:
    """The page as Markdown; needs no framework.

    Raises:
        UnknownName: for an unknown block or framework, or the same framework twice.
    """
    known("block", family, names())
    source, target = _two(source, target)
    recorded, case = facts.load(), facts.documented(family)
    layers = list(dict.fromkeys(type(node.layer).__name__ for node in case.spec.nodes))
    return page(
        f"{family}: {TITLES[source]} → {TITLES[target]}",
        code(diagram.text(case), "text"),
        f"## {TITLES[source]}",
        code(sources.block_code(source, family)),
        f"## {TITLES[target]}",
        code(sources.block_code(target, family)),
        "## Arrays",
        moves(recorded, source, target, family),
        "## Rules",
        rules.table(
            (
                rule
                for rule in rules.derived(recorded, source, target)
                if not rule.layers or set(rule.layers) & set(layers)
            ),
            source,
            target,
        ),
        "## Arguments of its layers",
        [arguments(recorded, layer, source, target) for layer in ARGUMENTS if layer in layers],
        "## Defaults of its layers that differ",
        answers(recorded, [source, target], lambda concerned: bool(set(concerned) & set(layers)), only_differing=True),
        "## Pitfalls of its layers",
        _pitfalls(recorded, source, target, set(layers)),
        f"These facts are from running {versions(recorded)} ({run(recorded.environment)}).",
    ).replace(f"{GENERATED}\n\n", "")


def explain_symptom(key: str, source: str, target: str) -> str:
    """The pitfalls of a port that show themselves as ``key`` says, as Markdown; needs no framework.

    Raises:
        UnknownName: for an unknown symptom or framework, or the same framework twice.
    """
    known("symptom", key, pitfalls.SYMPTOMS)
    source, target = _two(source, target)
    return pitfall_pages.symptom(key, source, target, facts.load(), pitfalls.load())


def _two(source: str, target: str) -> tuple[str, str]:
    source, target = (known("backend", name, TITLES) for name in (source, target))
    if source == target:
        others = ", ".join(name for name in TITLES if name != source)
        raise UnknownName(f"nothing to port from `{source}` to `{target}`; choose another of {others}")
    return source, target


def _pitfalls(recorded: Facts, source: str, target: str, layers: set[str]) -> Iterator[str]:
    for pitfall, ran in concerning(pitfalls.load(), source, target):
        if set(pitfall.layers) & layers:
            turned = "" if ran.startswith(source) else TURNED
            outcome = recorded.pitfalls[pitfall.id][ran][0].detail
            yield f"**{pitfall.title}.** {pitfall.text}{turned} The naive port: {outcome}. {' '.join(pitfall.threads)}"
