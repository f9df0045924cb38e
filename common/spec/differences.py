"""What a framework is known to do differently from the spec: declared with its cause, and checked like anything else.

A ``[[difference]]`` of ``known_differences.toml`` names a relation, which changes the spec. The check then expects the
answer of the changed spec, to the same allowance, and expects that the answer of the spec is *not* met: a row that no
longer occurs fails. A ``[[point]]`` is a difference at certain values of one layer's input, which the cases avoid by
design. It is the smallest reproduction, with the framework's answer (tests/test_known_differences.py).
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from common import layers
from common.layers import BatchNorm2d
from common.spec import BlockSpec, Node


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


@dataclass(frozen=True)
class Point:
    """A layer on one pixel, ``x`` by channel: the framework's output, or the gradient of its sum, is ``given``."""

    id: str
    layer: str
    options: dict[str, Any]
    x: tuple[float, ...]
    of: Literal["output", "gradient"]
    given: tuple[float, ...]
    cause: str
    link: str

    @property
    def spec(self) -> BlockSpec:
        """The layer as a block."""
        layer = getattr(layers, self.layer)(**self.options)
        return BlockSpec("point", {}, len(self.x), (Node("layer", layer),))


def _rows(folder: Path, kind: str) -> list[dict[str, Any]]:
    rows = tomllib.loads((folder / "known_differences.toml").read_text(encoding="utf-8")).get(kind, [])
    return [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]


def load(folder: Path) -> tuple[Difference, ...]:
    """The differences of a framework's known_differences.toml.

    Raises:
        ValueError: for a row with a key or relation that does not exist.
    """
    try:
        rows = tuple(Difference(**row) for row in _rows(folder, "difference"))
    except TypeError as error:
        raise ValueError(f"{folder.name}/known_differences.toml: {error}") from None
    for row in rows:
        if row.relation not in RELATIONS:
            raise ValueError(f"{folder.name}: relation `{row.relation}` is not one of {', '.join(RELATIONS)}")
    return rows


def points(folder: Path) -> tuple[Point, ...]:
    """The points of a framework's known_differences.toml."""
    return tuple(Point(**row) for row in _rows(folder, "point"))
