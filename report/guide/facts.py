"""The facts of the guide: measured by `make facts`, kept in report/facts.json, and tested to hold."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

import frameworks
from common.port.facts import Held, mapping
from common.processes import machine
from common.results.record import write_text
from common.spec.catalogue import Case, cases, names
from common.spec.params import randomised
from report.guide import pitfalls
from report.guide.pitfalls import Outcome

PATH = Path(__file__).parents[1] / "facts.json"


@dataclass(frozen=True)
class FrameworkFacts:
    """One framework's versions, arguments by layer and concept, answers, and where it keeps each block's arrays."""

    environment: dict[str, str]
    arguments: dict[str, dict[str, str]]
    answers: dict[str, str]
    parameters: dict[str, list[Held]]


@dataclass(frozen=True)
class Facts:
    """All that the pages state and that running code said, and where and when it ran."""

    environment: dict[str, str]
    frameworks: dict[str, FrameworkFacts] = field(default_factory=dict)
    pitfalls: dict[str, dict[str, tuple[Outcome, Outcome]]] = field(default_factory=dict)


def documented(family: str) -> Case:
    """The case that a block's page shows: the first of those with the most arrays."""
    return max((case for case in cases() if case.spec.family == family), key=lambda case: len(case.spec.params()))


def ask(name: str) -> FrameworkFacts:
    """What one framework says now."""
    backend, facts = frameworks.load(name), frameworks.part(name, "facts")

    def held(family: str) -> list[Held]:
        spec = documented(family).spec
        params = randomised(spec)
        return mapping(params, facts.held(backend.build(spec, params).native))

    return FrameworkFacts(
        backend.environment(), facts.arguments(), facts.answers(), {family: held(family) for family in names()}
    )


def measure() -> Facts:
    """Asks every framework and runs every pitfall, in this process.

    Raises:
        MissingFramework: if one is not installed.
    """
    environment = machine.environment(machine.processors())
    asked = {name: ask(name) for name in frameworks.BACKENDS}
    ran = {p.id: {target: p.run(target) for target in p.targets} for p in pitfalls.load()}
    return Facts(environment, asked, ran)


def dump(facts: Facts) -> None:
    """Writes report/facts.json."""
    write_text(PATH, msgspec.json.format(msgspec.json.encode(facts), indent=1).decode() + "\n")


def load() -> Facts:
    """Reads report/facts.json."""
    return msgspec.json.decode(PATH.read_bytes(), type=Facts)


def changed(facts: Any, recorded: Any) -> list[str]:
    """The keys under which two facts of one framework differ, in one line each."""
    old, new = msgspec.to_builtins(recorded), msgspec.to_builtins(facts)
    keys = [(group, key) for group in ("arguments", "answers", "parameters") for key in {**old[group], **new[group]}]
    return [
        f"{group} of {key}: {new[group].get(key)}, recorded {old[group].get(key)}"
        for group, key in keys
        if new[group].get(key) != old[group].get(key)
    ]
