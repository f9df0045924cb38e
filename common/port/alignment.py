"""Layers of other names: which layer of one network is which of another, by kinds and shapes; and map files.

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

from common.files import contents
from common.layers.values import Shape
from common.names import first_line
from common.port.weights import PortError, Unmatched, distinct
from common.spec.params import Arrays, Shapes

MOST_BYTES = 2**24  # of a map file
NameMap = dict[str, str]  # layers of the first network: layers of the second
BY_NAMES = "in the order of their names"


@dataclass(frozen=True)
class Leaf:
    """A layer that holds arrays: its module path, what it is, and its arrays' shapes by local name."""

    name: str
    kind: str
    shapes: tuple[tuple[str, Shape], ...]

    @property
    def signature(self) -> tuple[str, tuple[tuple[str, Shape], ...]]:
        return self.kind, self.shapes

    @property
    def form(self) -> str:
        return f"{self.kind}: {', '.join(f'{name} {shape}' for name, shape in self.shapes)}"

    def __str__(self) -> str:
        return f"`{self.name}` ({self.form})"


def leaves(shapes: Shapes) -> list[Leaf]:
    """The layers of named arrays, in the order in which their first arrays come."""
    layers: defaultdict[str, dict[str, Shape]] = defaultdict(dict)
    for name, shape in shapes.items():
        path, _, local = name.rpartition(".")
        layers[path][local] = shape

    def kind(arrays: dict[str, Shape]) -> str:
        if "running_mean" in arrays or len(arrays.get("weight", ())) == 1:
            return "norm"
        return {4: "conv", 2: "linear"}.get(len(arrays.get("weight", ())), "other")

    return [Leaf(path, kind(arrays), tuple(sorted(arrays.items()))) for path, arrays in layers.items()]


@dataclass(frozen=True)
class Alignment:
    """Which layer is which: ``how`` is the rule that matched them, ``doubts`` are sentences on what is not certain."""

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
    """Pairs the k-th of a key with the k-th of the same key; None unless each key occurs equally often in both."""
    first, waiting = list(first), defaultdict(list)
    for item in second:
        waiting[key(item)].append(item)
    if Counter(map(key, first)) != Counter({name: len(items) for name, items in waiting.items()}):
        return None
    pairs = ((item, waiting[key(item)].pop(0)) for item in first)
    return {a.name: b.name for one, other in pairs for a, b in zip(one, other, strict=True)}


def align(first: Sequence[Leaf], second: Sequence[Leaf], names: NameMap | None = None) -> Alignment:
    """Matches the layers that ``names`` does not name, by kinds and shapes.

    These rules are tried in turn: the same sequence; the same convolutions and linear layers, each with the norms that
    follow it, in another order, as when a module runs its branches in another order; the same sequence of each kind;
    both of these sequences in the order of names; the same layers in any order, which is certain only if none occurs
    twice.

    Raises:
        PortError: listing the layers that have no partner, or for ``names`` that do not exist or do not fit.
    """
    named = dict(names or {})
    layers, partners = {leaf.name: leaf for leaf in first}, {leaf.name: leaf for leaf in second}
    for a, b in named.items():
        if a not in layers or b not in partners:
            name, choices = (a, layers) if a not in layers else (b, partners)
            near = difflib.get_close_matches(name, choices, 1, 0)
            raise PortError(
                f"the map names `{name}`, which is no layer" + (f"; nearest is `{near[0]}`" if near else "")
            )
        if layers[a].signature != partners[b].signature:
            raise PortError(f"the map pairs {layers[a]} with {partners[b]}")
    if len(set(named.values())) < len(named):
        raise PortError("the map names a layer twice")
    one = [leaf for leaf in first if leaf.name not in named]
    other = [leaf for leaf in second if leaf.name not in named.values()]

    def whole(order: Sequence[Leaf]) -> NameMap | None:
        if [leaf.signature for leaf in one] != [leaf.signature for leaf in order]:
            return None
        return {a.name: b.name for a, b in zip(one, order, strict=True)}

    def by_kind(order: Sequence[Leaf]) -> NameMap | None:
        pairs: NameMap = {}
        for kind in ("conv", "linear", "norm", "other"):
            left, right = ([leaf for leaf in side if leaf.kind == kind] for side in (one, order))
            if [leaf.signature for leaf in left] != [leaf.signature for leaf in right]:
                return None
            pairs |= {a.name: b.name for a, b in zip(left, right, strict=True)}
        return pairs

    def signatures(unit: tuple[Leaf, ...]) -> Any:
        return tuple(leaf.signature for leaf in unit)

    by_name = sorted(other, key=lambda leaf: natural(leaf.name))
    for how, pairs in (
        ("in the same order", whole(other)),
        ("each with its norm, in another order", _in_turn(_units(one), _units(other), signatures)),
        ("in the same order of each kind", by_kind(other)),
        (BY_NAMES, whole(by_name) or by_kind(by_name)),
    ):
        if pairs is not None:
            return Alignment(named | pairs, how)
    pairs = _in_turn([(leaf,) for leaf in one], [(leaf,) for leaf in by_name], signatures)
    if pairs is not None:
        counts = Counter(leaf.signature for leaf in one)
        doubts = tuple(f"{leaf} could be any of {counts[leaf.signature]}" for leaf in one if counts[leaf.signature] > 1)
        return Alignment(named | pairs, "by what they are alone", doubts)
    raise Unmatched("the layers do not match", _unmatched(one, other))


def _unmatched(first: Sequence[Leaf], second: Sequence[Leaf]) -> list[str]:
    left, right = ([leaf.signature for leaf in side] for side in (first, second))
    steps = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    lines = []
    for step, a, b, c, d in steps:
        if step != "equal":
            for one, other in itertools.zip_longest(first[a:b], second[c:d]):
                lines.append(f"{one or 'nothing'} stands where the other has {other or 'nothing'}")
    return lines


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts ``block2`` before ``block10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def renamed(arrays: Arrays, names: NameMap) -> Arrays:
    """``arrays`` under other layer names: each layer that is a value of ``names`` gets the name of its key.

    Raises:
        PortError: if two arrays would have one name.
    """
    new_names = {old: new for new, old in names.items()}

    def rename(name: str) -> str:
        path, dot, local = name.rpartition(".")
        return f"{new_names.get(path, path)}{dot}{local}"

    result: Arrays = {}
    for name, array in arrays.items():
        if (new := rename(name)) in result:
            raise PortError(f"by the map `{new}` is there twice")
        result[new] = array
    return result


def load_map(path: Path) -> NameMap:
    """Reads a map file: a JSON object of layer names, those of the first network to those of the second.

    Raises:
        PortError: if the file is not one.
    """
    try:
        names = json.loads(contents(path, MOST_BYTES).decode(), object_pairs_hook=lambda pairs: distinct(pairs, "keys"))
    except OSError as error:
        raise PortError(f"cannot read the map {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise PortError(f"cannot read the map {path}: {first_line(error)[:200]}") from None
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise PortError(f"the map {path} must be a JSON object of layer names: ours to theirs")
    return names


def dump_map(names: NameMap) -> str:
    """The text of a map file."""
    return json.dumps(names, indent=2, ensure_ascii=False) + "\n"
