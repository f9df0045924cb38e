"""Every named block, where it comes from, and the cases it is checked and timed on."""

from dataclasses import replace
from typing import Any

from common.names import known
from common.spec import BlockSpec
from common.spec.blocks import FAMILIES
from common.spec.entry import Case, Entry

CATALOGUE: dict[str, Entry] = {entry.make.__name__: entry for family in FAMILIES for entry in family.ENTRIES}
PLAIN = tuple(name for name, entry in CATALOGUE.items() if entry.plain)
NETWORKS = tuple(name for name, entry in CATALOGUE.items() if "classes" in entry.cases[0].spec.options)
PROFILES = ("quick", "full")


def names() -> tuple[str, ...]:
    """The blocks' names."""
    return tuple(CATALOGUE)


def block(name: str, /, **options: Any) -> BlockSpec:
    """The spec of a named block with these hyper-parameters.

    Raises:
        UnknownName: for a name that is not in the catalogue.
        SpecError: for an option that does not exist or a value that is not valid.
    """
    return CATALOGUE[known("block", name, CATALOGUE)].make(**options)


def cases() -> tuple[Case, ...]:
    """Every case that is checked in float32, grouped by block."""
    return tuple(case for entry in CATALOGUE.values() for case in entry.cases)


def float64_cases() -> tuple[Case, ...]:
    """In float64, the cases in whose training rounding in float32 could hide a mistake."""
    chosen = [case for case in cases() if case.also_in_float64]
    return tuple(replace(c, name=f"{c.name}_float64", dtype="float64", also_in_float64=False) for c in chosen)


def published_cases() -> tuple[Case, ...]:
    """The settings whose parameter and MAC counts the sources publish; a case's name ends in its input shape."""
    return tuple(case for entry in CATALOGUE.values() for case in entry.published)


def timed_cases(profile: str = "quick") -> tuple[Case, ...]:
    """The cases that are timed: `full` has those of `quick` and larger ones.

    Raises:
        UnknownName: for a profile that does not exist.
    """
    profiles = PROFILES[: PROFILES.index(known("profile", profile, PROFILES)) + 1]
    return tuple(case for name in profiles for entry in CATALOGUE.values() for case in entry.timed.get(name, ()))
