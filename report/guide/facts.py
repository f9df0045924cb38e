"""The facts of the guide: `make facts` asks for them, report/facts.json keeps them, tests check them again."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import Any

import msgspec

import frameworks
from common.port.facts import Held, mapping
from common.processes import machine
from common.results import record
from common.spec.catalogue import Case, cases, names
from common.spec.params import randomised
from report.guide import pitfalls, sources
from report.guide.pitfalls import Outcome, Pitfall
from report.paths import FACTS, ROOT, WRITTEN

# The distributions on which the answers of a framework may depend.
DISTRIBUTIONS = {
    "torch": ("torch", "fvcore"),
    "paddle": ("paddlepaddle",),
    "jax": ("jax", "jaxlib", "optax"),
    "flax": ("flax", "jax", "jaxlib", "optax"),
}

Keys = dict[str, dict[str, str]]


@dataclass(frozen=True)
class FrameworkFacts:
    """One framework's versions, arguments by layer and concept, answers, and the place of each block's arrays."""

    environment: dict[str, str]
    arguments: dict[str, dict[str, str]]
    answers: dict[str, str]
    parameters: dict[str, list[Held]]


@dataclass(frozen=True)
class Facts:
    """Everything on the pages that comes from running code, and where and when it last ran.

    ``keys`` says what each answer depends on: by ``questions`` and framework, ``blocks/<framework>`` and block,
    ``pitfalls/<pitfall>`` and the pair of its port.
    """

    environment: dict[str, str]
    frameworks: dict[str, FrameworkFacts] = field(default_factory=dict)
    pitfalls: dict[str, dict[str, tuple[Outcome, Outcome]]] = field(default_factory=dict)
    keys: Keys = field(default_factory=dict)


def documented(family: str) -> Case:
    """The case that a block's page shows: the first of those with the most arrays."""
    return max((case for case in cases() if case.spec.family == family), key=lambda case: len(case.spec.params()))


def keys() -> Keys:
    """What every fact depends on now, as a hash of code and versions; no framework is imported."""

    def texts(*paths: str) -> list[str]:
        return [(ROOT / path).read_text("utf-8") for path in paths if (ROOT / path).exists()]

    asking, judging = texts("common/port/facts.py"), texts("report/guide/pitfalls.py")
    hashes: Keys = {"questions": {}}
    for name in frameworks.BACKENDS:
        files = [f"frameworks/{name}/{file}.py" for file in ("facts", "layers", "layout")]
        used = [*asking, *texts(*files), *_versions(name)]
        hashes["questions"][name] = _hash(used)
        hashes[f"blocks/{name}"] = {
            family: _hash([*used, sources.block_code(name, family), repr(documented(family).spec.params())])
            for family in names()
        }
    for pitfall in pitfalls.load():
        hashes[f"pitfalls/{pitfall.id}"] = {
            port: _hash([*judging, pitfall.source, *_versions(*port.split("-to-"))]) for port in pitfall.ports
        }
    return hashes


def _versions(*names_: str) -> list[str]:
    versions = []
    for distribution in sorted({"numpy"}.union(*(DISTRIBUTIONS[name] for name in names_))):
        try:
            versions.append(f"{distribution} {metadata.version(distribution)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {distribution}")
    return versions


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def outdated(recorded: Facts, now: Keys) -> list[str]:
    """The facts whose code or versions have changed since they were asked: ``pitfalls/same_seed/torch-to-paddle``."""
    return [
        f"{group}/{name}"
        for group, by_name in now.items()
        for name, key in by_name.items()
        if recorded.keys.get(group, {}).get(name) != key
    ]


def ask(name: str) -> FrameworkFacts:
    """What one framework says now."""
    asked = _questions(name)
    return replace(asked, parameters={family: _held(name, family) for family in names()})


def _questions(name: str) -> FrameworkFacts:
    module = frameworks.part(name, "facts")
    return FrameworkFacts(frameworks.load(name).environment(), module.arguments(), module.answers(), {})


def _held(name: str, family: str) -> list[Held]:
    module, params = frameworks.part(name, "facts"), randomised(documented(family).spec)
    return mapping(params, module.held(frameworks.load(name).build(documented(family).spec, params).native))


def measure(recorded: Facts, now: Keys) -> Facts:
    """Asks again, in this process, for what is `outdated`; the rest stays as recorded.

    Raises:
        ImportError: if a framework that must be asked, or a package of the tests, is not installed.
    """
    again = set(outdated(recorded, now))

    def framework(name: str) -> FrameworkFacts:
        asked = _questions(name) if f"questions/{name}" in again else recorded.frameworks[name]
        return replace(asked, parameters={family: block(name, family) for family in names()})

    def block(name: str, family: str) -> list[Held]:
        new = f"blocks/{name}/{family}" in again
        return _held(name, family) if new else recorded.frameworks[name].parameters[family]

    def ported(pitfall: Pitfall, port: str) -> tuple[Outcome, Outcome]:
        new = f"pitfalls/{pitfall.id}/{port}" in again
        return pitfall.run(port) if new else recorded.pitfalls[pitfall.id][port]

    return Facts(
        machine.environment(machine.processors(), WRITTEN),
        {name: framework(name) for name in frameworks.BACKENDS},
        {pitfall.id: {port: ported(pitfall, port) for port in pitfall.ports} for pitfall in pitfalls.load()},
        now,
    )


def dump(facts: Facts) -> None:
    """Writes report/facts.json."""
    record.dump(facts, FACTS)


def load() -> Facts:
    """Reads report/facts.json; gives empty facts if the file does not exist."""
    return msgspec.json.decode(FACTS.read_bytes(), type=Facts) if FACTS.exists() else Facts({})


def changed(facts: Any, recorded: Any) -> list[str]:
    """One line for each key under which two facts of one framework differ."""
    old, new = msgspec.to_builtins(recorded), msgspec.to_builtins(facts)
    keys = [(group, key) for group in ("arguments", "answers", "parameters") for key in {**old[group], **new[group]}]
    return [
        f"{group} of {key}: {new[group].get(key)}, recorded {old[group].get(key)}"
        for group, key in keys
        if new[group].get(key) != old[group].get(key)
    ]
