"""The pages of the pitfalls."""

from collections.abc import Iterator

from common.layers import KINDS
from report.guide.facts import Facts
from report.guide.page import GENERATED, about, code, page, tabs
from report.guide.pairs import TURNED, concerning
from report.guide.pitfalls import SYMPTOMS, Outcome, Pitfall, Setting
from report.guide.sources import TITLES
from report.text import Table, markdown

OTHER = "Other layers, training and data"


def pitfall_list(facts: Facts, pitfalls: tuple[Pitfall, ...]) -> str:
    """docs/pitfalls/index.md."""
    groups: dict[str, list[list[str]]] = {layer: [] for layer in (*(kind.__name__ for kind in KINDS), OTHER)}
    for pitfall in pitfalls:
        naive, _ = facts.pitfalls[pitfall.id][pitfall.ports[0]]
        row = [pitfall.link(), _pair(pitfall), _short(naive)]
        groups[pitfall.layers[0] if pitfall.layers else OTHER].append(row)
    return page(
        "Pitfalls",
        f"{len(pitfalls)} pitfalls, with {sum(len(pitfall.ports) for pitfall in pitfalls)} ports in all "
        f"({about('facts')}). Each port is written twice, naive and right, and both are compared with the framework "
        "that the code comes from. The pages show the code that the tests run.",
        "[By what you see](symptoms.md): a shape differs, only evaluation differs, training diverges, and so on.",
        "*Right*: the difference is within what rounding may cause, by a bound from the length of the sums; whole "
        "numbers must be equal. *Wrong*: an exception, another shape, another whole number, or a difference of more "
        "than 1000 roundings of the output's scale. `report/guide/pitfalls.py` has the rule.",
        [
            f"## {layer}\n\n{markdown(Table(['pitfall', 'from → to', 'the naive port (to the first)'], rows))}"
            for layer, rows in groups.items()
            if rows
        ],
    )


# What a test cannot run: times are measured.
SPEED = (
    "Speed is measured, and has its own pages: what was measured, and what to change, step by step, for each framework "
    "({}). In JAX and Flax on a CPU the depthwise convolutions come first."
)


def symptoms(pitfalls: tuple[Pitfall, ...]) -> str:
    """docs/pitfalls/symptoms.md."""
    return page(
        "What you see, and what it may be",
        "Look up what you see, from the first difference to the last; a pitfall may show itself in more than one way. "
        "For one pair of frameworks: `convparity explain --symptom training-diverges --from torch --to paddle`.",
        [
            f"## {seen}\n\n`{key}`\n\n{_beside(key, '[docs/fast](../fast/index.md)')}"
            f"{markdown(Table(['pitfall', 'from → to'], rows))}"
            for key, seen in SYMPTOMS.items()
            for rows in [[[pitfall.link(), _pair(pitfall)] for pitfall in pitfalls if key in pitfall.symptoms]]
        ],
    )


def symptom(key: str, source: str, target: str, facts: Facts, pitfalls: tuple[Pitfall, ...]) -> str:
    """What ``convparity explain --symptom`` prints: the pitfalls of one port that show themselves in one way."""
    entries = [
        f"## {pitfall.title}\n\n{pitfall.text}{'' if ran.startswith(source) else TURNED}\n\n"
        f"The naive port: {facts.pitfalls[pitfall.id][ran][0].detail}. docs/pitfalls/{pitfall.id}.md"
        for pitfall, ran in concerning(pitfalls, source, target)
        if key in pitfall.symptoms
    ]
    return page(
        f"{SYMPTOMS[key]}: {TITLES[source]} → {TITLES[target]}",
        f"{_beside(key, f'docs/fast/{target}.md')}Pitfalls of this port that show themselves so: {len(entries)}.",
        entries,
    ).replace(f"{GENERATED}\n\n", "")


def _beside(key: str, where: str) -> str:
    return f"{SPEED.format(where)}\n\n" if key == "slower" else ""


def _pair(pitfall: Pitfall) -> str:
    """``PyTorch → JAX; PaddlePaddle → JAX``."""
    targets = dict.fromkeys((*pitfall.targets, "flax"))  # Flax has optax's
    by_origin = {a: [TITLES[b] for b in targets if pitfall.run_as(a, b)] for a in pitfall.origins}
    return "; ".join(f"{TITLES[origin]} → {', '.join(targets)}" for origin, targets in by_origin.items())


def pitfall_page(pitfall: Pitfall, facts: Facts) -> str:
    """docs/pitfalls/<id>.md."""
    outcomes = facts.pitfalls[pitfall.id]
    ports = {
        TITLES[target]: "\n\n".join(
            [
                "**The naive port**: " + _each({port: _wrong(naive) for port, (naive, _) in ran.items()}),
                code(pitfall.code(f"naive_{target}")),
                "**The right port**: "
                + _each({port: _right(right, pitfall.sampled) for port, (_, right) in ran.items()}),
                code(pitfall.code(f"right_{target}", pitfall.code(f"naive_{target}"))),
            ]
        )
        for target in pitfall.targets
        for ran in [{port: both for port, both in outcomes.items() if port.endswith(f"-to-{target}")}]
    }
    sources = {"source" if name == pitfall.origin else f"source_{name}": TITLES[name] for name in pitfall.origins}
    layers = f" Layers: {', '.join(pitfall.layers)}." if pitfall.layers else ""
    shared = pitfall.of_optax and "flax" not in pitfall.targets
    layers += " Flax trains with the same optax as JAX: the port to JAX is run, and speaks of both." if shared else ""
    seen = "; ".join(SYMPTOMS[key][0].lower() + SYMPTOMS[key][1:] for key in pitfall.symptoms)
    return page(
        pitfall.title,
        pitfall.text,
        f"{_pair(pitfall)}.{layers}",
        f"What you see: {seen} ([all symptoms](symptoms.md)).",
        _reported(pitfall),
        _range(pitfall),
        [
            f"## {title}\n\n" + code("\n\n\n".join(part for part in (setup, pitfall.code(name)) if part))
            for name, title in sources.items()
            for setup in [pitfall.setup if name == "source" else ""]
        ],
        "## The ports",
        tabs(ports) if len(ports) > 1 else next(iter(ports.values())),
        f"Run from `tests/pitfalls/{pitfall.id}.py` ({about('facts')}).",
    )


def _reported(pitfall: Pitfall) -> str:
    told = [("Reported in", pitfall.threads), ("Related:", pitfall.related)]
    return " ".join(f"{words} {', '.join(f'[{thread(url)}]({url})' for url in urls)}." for words, urls in told if urls)


def _range(pitfall: Pitfall) -> Iterator[str]:
    if pitfall.harmful or pitfall.harmless:
        yield "## Range"
        right = f"The right port agrees with {' and '.join(TITLES[name] for name in pitfall.origins)} in all."
        yield f"Other values of the constants below, run too. {right}"
    for words, settings in (("is wrong too", pitfall.harmful), ("agrees", pitfall.harmless)):
        if settings:
            yield f"The naive port {words}:"
            yield "\n".join(f"- {_constants(setting)}" for setting in settings)


def _constants(setting: Setting) -> str:
    return ", ".join(f"`{name} = {value!r}`" for name, value in setting.items())


def _each(outcomes: dict[str, str]) -> str:
    """The outcome of a port from each of its sources; once if they are the same."""
    first, *others = dict.fromkeys(outcomes.values())
    if not others:
        return first
    return " ".join(f"from {TITLES[port.partition('-to-')[0]]} {outcome}" for port, outcome in outcomes.items())


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
