"""The pages of the pitfalls."""

from common.layers import KINDS
from report.guide.facts import Facts
from report.guide.page import about, code, page, tabs
from report.guide.pitfalls import Outcome, Pitfall
from report.guide.sources import TITLES
from report.text import Table, markdown

OTHER = "Other layers, training and data"


def pitfall_list(facts: Facts, traps: tuple[Pitfall, ...]) -> str:
    """docs/pitfalls/index.md."""
    groups: dict[str, list[list[str]]] = {layer: [] for layer in (*(kind.__name__ for kind in KINDS), OTHER)}
    for trap in traps:
        targets = ", ".join(TITLES[target] for target in trap.targets)
        naive, _ = facts.pitfalls[trap.id][trap.targets[0]]
        row = [f"[{trap.title}]({trap.id}.md)", f"{TITLES[trap.origin]} → {targets}", _short(naive)]
        groups[trap.layers[0] if trap.layers else OTHER].append(row)
    return page(
        "Pitfalls",
        f"{len(traps)} pitfalls, with {sum(len(trap.targets) for trap in traps)} ports in all ({about('facts')}). Each "
        "port is written twice, naive and right, and both are compared with the framework that the code comes from. "
        "The pages show the code that the tests run.",
        "*Right*: the difference is within what rounding may cause, by a bound from the length of the sums; whole "
        "numbers must be equal. *Wrong*: an exception, another shape, another whole number, or a difference of more "
        "than 1000 roundings of the output's scale. `report/guide/pitfalls.py` has the rule.",
        [
            f"## {layer}\n\n{markdown(Table(['pitfall', 'from → to', 'the naive port (to the first)'], rows))}"
            for layer, rows in groups.items()
            if rows
        ],
    )


def pitfall(trap: Pitfall, facts: Facts) -> str:
    """docs/pitfalls/<id>.md."""
    outcomes = facts.pitfalls[trap.id]
    ports = {
        TITLES[target]: "\n\n".join(
            [
                f"**The naive port**: {_wrong(outcomes[target][0])}",
                code(trap.code(f"naive_{target}")),
                f"**The right port**: {_right(outcomes[target][1], trap.sampled)}",
                code(trap.code(f"right_{target}", trap.code(f"naive_{target}"))),
            ]
        )
        for target in trap.targets
    }
    layers = f" Layers: {', '.join(trap.layers)}." if trap.layers else ""
    return page(
        trap.title,
        trap.text,
        f"From {TITLES[trap.origin]} to {', '.join(TITLES[target] for target in trap.targets)}.{layers}",
        "Reported in " + ", ".join(f"[{thread(url)}]({url})" for url in trap.threads) + ".",
        f"## {TITLES[trap.origin]}",
        code("\n\n\n".join(part for part in (trap.setup, trap.code("source")) if part)),
        "## The ports",
        tabs(ports) if len(ports) > 1 else next(iter(ports.values())),
        f"Run from `tests/pitfalls/{trap.id}.py` ({about('facts')}).",
    )


def _short(outcome: Outcome) -> str:
    return f"raises {outcome.detail.partition(':')[0]}" if outcome.kind == "raises" else outcome.detail


def _wrong(outcome: Outcome) -> str:
    return f"raises `{outcome.detail}`." if outcome.kind == "raises" else f"{outcome.detail}."


def _right(outcome: Outcome, sampled: bool) -> str:
    if not outcome.allowance:
        return "the same." if outcome.error == 0 else f"{outcome.detail}."
    cause = "chance" if sampled else "rounding"
    return f"off by {outcome.error:.2g}; {cause} may cause up to {outcome.allowance:.2g}."


def thread(url: str) -> str:
    """``pytorch/pytorch#77427``."""
    owner, name, _, issue = url.removeprefix("https://github.com/").split("/")
    return f"{owner}/{name}#{issue}"
