"""What the command line knows by name: the values that a shell completes, and the versions of what is installed."""

import importlib.metadata
from collections.abc import Callable, Iterable
from typing import Any

import click


def completing(names: Callable[[], Iterable[str]]) -> dict[str, Any]:
    """The setting of a parameter that makes a shell complete it; ``names`` is called when it does."""
    return {"shell_complete": lambda context, param, start: [name for name in names() if name.startswith(start)]}


def backends() -> Iterable[str]:
    """The names for `--from` and `--to`."""
    import frameworks

    return frameworks.BACKENDS


def timed() -> Iterable[str]:
    """Backends and engines."""
    import frameworks

    return [*frameworks.BACKENDS, *frameworks.ENGINES]


def blocks() -> Iterable[str]:
    """The blocks' names."""
    from common.spec.catalogue import names

    return names()


def cases() -> Iterable[str]:
    """The blocks' names, and the ids of the cases that are checked or timed."""
    from common.spec import catalogue

    every = (*catalogue.cases(), *catalogue.float64_cases(), *catalogue.timed_cases("full"))
    return [*catalogue.names(), *dict.fromkeys(case.id for case in every)]


def faults() -> Iterable[str]:
    """The mistakes that `selftest` makes."""
    from common.faults.mistakes import FAULTS

    return [fault.id for fault in FAULTS]


def symptoms() -> Iterable[str]:
    """What `explain --symptom` knows."""
    from report.guide.pitfalls import SYMPTOMS

    return SYMPTOMS


def print_versions(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """Prints what a bug report needs: our version and commit, and the versions of what is installed. Imports none."""
    if not asked or context.resilient_parsing:
        return
    import platform

    import frameworks
    from common.processes import machine
    from report.paths import WRITTEN

    commit = machine.environment(1, WRITTEN)["commit"]
    click.echo(f"convparity {_version('convparity')}, commit {commit}, Python {platform.python_version()}")
    packages = importlib.metadata.packages_distributions()
    tables = frameworks.BACKENDS | frameworks.ENGINES
    for module in dict.fromkeys(["numpy", *(need for row in tables.values() for need in row.needs)]):
        distribution = packages.get(module, [""])[0]
        click.echo(f"{module} {_version(distribution) if distribution else 'not installed'}")
    context.exit()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "of a checkout that is not installed"
