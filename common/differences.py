"""What a framework is known to do differently from the spec: declared with its cause, and checked like anything else.

A row of ``known_differences.toml`` names a relation; the check then expects what the relation makes of the spec, to the
same allowance, and expects the spec itself *not* to be met: a row that no longer occurs fails.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from common.layers import BatchNorm2d
from common.spec import BlockSpec


def _unbiased(spec: BlockSpec) -> BlockSpec:
    def layer(old: object) -> object:
        return replace(old, unbiased_running_var=True) if isinstance(old, BatchNorm2d) else old

    return replace(spec, nodes=tuple(replace(node, layer=layer(node.layer)) for node in spec.nodes))


RELATIONS: dict[str, Callable[[BlockSpec], BlockSpec]] = {"unbiased_running_var": _unbiased}


@dataclass(frozen=True)
class Difference:
    """One row: at these ``levels``, arrays of this ``role`` follow the ``relation`` instead of the spec."""

    id: str
    levels: tuple[str, ...]
    role: str
    relation: str
    cause: str
    link: str

    def apply(self, spec: BlockSpec) -> BlockSpec:
        """The spec that the framework follows."""
        return RELATIONS[self.relation](spec)


def load(folder: Path) -> tuple[Difference, ...]:
    """The rows of a framework's known_differences.toml.

    Raises:
        ValueError: for a row with a key or relation that does not exist.
    """
    rows = tomllib.loads((folder / "known_differences.toml").read_text(encoding="utf-8")).get("difference", [])
    try:
        found = tuple(Difference(**{**row, "levels": tuple(row["levels"])}) for row in rows)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder.name}/known_differences.toml: {error}") from None
    for row in found:
        if row.relation not in RELATIONS:
            raise ValueError(f"{folder.name}: relation `{row.relation}` is not one of {', '.join(RELATIONS)}")
    return found
