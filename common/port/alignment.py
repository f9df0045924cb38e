"""Layers that are called otherwise: which of one network's is which of another's, by what they are; and map files.

A network is canonical arrays under any module paths: the arrays of one layer share a path and have local names as in
the spec (``weight``, ``bias``, ``running_mean``, ``running_var``).
"""

import difflib
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.layers.values import Shape
from common.port.weights import PortError
from common.spec.params import Arrays, Shapes

NameMap = dict[str, str]  # ours (or the first module's): theirs


@dataclass(frozen=True)
class Leaf:
    """A layer that holds arrays: its module path, what it is, and its arrays' shapes by local name."""

    name: str
    kind: str
    shapes: tuple[tuple[str, Shape], ...]

    @property
    def signature(self) -> tuple[str, tuple[tuple[str, Shape], ...]]:
        return self.kind, self.shapes

    def __str__(self) -> str:
        return f"`{self.name}` ({self.kind}: {', '.join(f'{name} {shape}' for name, shape in self.shapes)})"


def leaves(shapes: Shapes) -> list[Leaf]:
    """The layers of named arrays, in the order in which their first arrays come."""
    layers: defaultdict[str, dict[str, Shape]] = defaultdict(dict)
    for name, shape in shapes.items():
        path, _, local = name.rpartition(".")
        layers[path][local] = shape

    def kind(own: dict[str, Shape]) -> str:
        if "running_mean" in own or len(own.get("weight", ())) == 1:
            return "norm"
        return {4: "conv", 2: "linear"}.get(len(own.get("weight", ())), "other")

    return [Leaf(path, kind(own), tuple(sorted(own.items()))) for path, own in layers.items()]


@dataclass(frozen=True)
class Alignment:
    """Which layer is which: names of the first by names of the second, how that was found, and what is not certain."""

    names: NameMap
    how: str
    doubts: tuple[str, ...] = ()


def _units(layers: Sequence[Leaf]) -> list[tuple[Leaf, ...]]:
    """Runs of a convolution or linear layer and the norms that follow it."""
    units: list[list[Leaf]] = []
    for layer in layers:
        if layer.kind == "norm" and units:
            units[-1].append(layer)
        else:
            units.append([layer])
    return [tuple(unit) for unit in units]


def _in_turn(
    first: Iterable[tuple[Leaf, ...]], second: Iterable[tuple[Leaf, ...]], key: Callable[[tuple[Leaf, ...]], Any]
) -> NameMap | None:
    """Pairs the k-th of a key with the k-th of the same key, if each key is there equally often."""
    first, waiting = list(first), defaultdict(list)
    for item in second:
        waiting[key(item)].append(item)
    if Counter(map(key, first)) != Counter({name: len(items) for name, items in waiting.items()}):
        return None
    pairs = ((item, waiting[key(item)].pop(0)) for item in first)
    return {a.name: b.name for one, other in pairs for a, b in zip(one, other, strict=True)}


def align(first: Sequence[Leaf], second: Sequence[Leaf], names: NameMap | None = None) -> Alignment:
    """Matches layers by what they are: sequences of (kind, shapes) of the layers that ``names`` does not name.

    In order: the same sequence; the same convolutions and linear layers each with the norms that follow them, in
    another order, as where a module runs its branches the other way round; the same sequence of each kind; and last
    the same layers in any order, which is certain only where none occurs twice.

    Raises:
        PortError: listing the layers that have no partner, or for ``names`` that do not exist or do not fit.
    """
    given = dict(names or {})
    ours, theirs = {leaf.name: leaf for leaf in first}, {leaf.name: leaf for leaf in second}
    for a, b in given.items():
        if a not in ours or b not in theirs:
            name, choices = (a, ours) if a not in ours else (b, theirs)
            near = difflib.get_close_matches(name, choices, 1, 0)
            raise PortError(
                f"the map names `{name}`, which is no layer" + (f"; nearest is `{near[0]}`" if near else "")
            )
        if ours[a].signature != theirs[b].signature:
            raise PortError(f"the map pairs {ours[a]} with {theirs[b]}")
    if len(set(given.values())) < len(given):
        raise PortError("the map names a layer twice")
    one = [leaf for leaf in first if leaf.name not in given]
    other = [leaf for leaf in second if leaf.name not in given.values()]

    def whole(order: Sequence[Leaf]) -> NameMap | None:
        if [leaf.signature for leaf in one] != [leaf.signature for leaf in order]:
            return None
        return {a.name: b.name for a, b in zip(one, order, strict=True)}

    def by_kind(order: Sequence[Leaf]) -> NameMap | None:
        pairs: NameMap = {}
        for kind in ("conv", "linear", "norm", "other"):
            mine, yours = ([leaf for leaf in side if leaf.kind == kind] for side in (one, order))
            if [leaf.signature for leaf in mine] != [leaf.signature for leaf in yours]:
                return None
            pairs |= {a.name: b.name for a, b in zip(mine, yours, strict=True)}
        return pairs

    def signatures(unit: tuple[Leaf, ...]) -> Any:
        return tuple(leaf.signature for leaf in unit)

    by_name = sorted(other, key=lambda leaf: _natural(leaf.name))
    for how, pairs in (
        ("in the same order", whole(other)),
        ("each with its norm, in another order", _in_turn(_units(one), _units(other), signatures)),
        ("in the same order of each kind", by_kind(other)),
        ("in the order of their names", whole(by_name) or by_kind(by_name)),
    ):
        if pairs is not None:
            return Alignment(given | pairs, how)
    pairs = _in_turn([(leaf,) for leaf in one], [(leaf,) for leaf in by_name], signatures)
    if pairs is not None:
        counts = Counter(leaf.signature for leaf in one)
        doubts = tuple(f"{leaf} could be any of {counts[leaf.signature]}" for leaf in one if counts[leaf.signature] > 1)
        return Alignment(given | pairs, "by what they are alone", doubts)
    raise PortError("the layers do not match", _unmatched(one, other))


def _unmatched(first: Sequence[Leaf], second: Sequence[Leaf]) -> list[str]:
    ours, theirs = ([leaf.signature for leaf in side] for side in (first, second))
    steps = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    lines = []
    for step, a, b, c, d in steps:
        if step != "equal":
            for mine, yours in itertools.zip_longest(first[a:b], second[c:d]):
                lines.append(f"{mine or 'nothing'} stands where the other has {yours or 'nothing'}")
    return lines


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts ``block2`` before ``block10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def renamed(arrays: Arrays, names: NameMap) -> Arrays:
    """``arrays`` with the layers that ``names`` maps (ours: theirs) under our names.

    Raises:
        PortError: if two arrays would have one name.
    """
    ours = {theirs: mine for mine, theirs in names.items()}

    def rename(name: str) -> str:
        path, dot, local = name.rpartition(".")
        return f"{ours.get(path, path)}{dot}{local}"

    found: Arrays = {}
    for name, array in arrays.items():
        if (own := rename(name)) in found:
            raise PortError(f"by the map `{own}` is there twice")
        found[own] = array
    return found


def load_map(path: Path) -> NameMap:
    """Reads a map file: a JSON object of layer names, ours to theirs.

    Raises:
        PortError: if it is not one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PortError(f"cannot read the map {path}: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise PortError(f"the map {path} must be a JSON object of layer names: ours to theirs")
    return found


def dump_map(names: NameMap) -> str:
    """The text of a map file."""
    return json.dumps(names, indent=2, ensure_ascii=False) + "\n"
