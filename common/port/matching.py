"""Which arrays of one module are which of another: layers in the same form, in another form, or arrays one by one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from common.layers.values import Shape
from common.port.alignment import Alignment, Leaf, NameMap, align
from common.port.weights import PortError
from common.spec.params import Arrays, Shapes, drawn

_LOCAL = re.compile(r"weight(_orig|_[guv])?|bias(_[kv])?|running_\w+|in_proj_\w+|(weight|bias)_(ih|hh)\w*")
_SEPARATE = re.compile(r"(?:to_|w)?(q|k|v|query|key|value)(?:_proj|_lin)?")
SHOWN = 5  # layers without a partner, in a refusal
Group = dict[str, tuple[str, ...]]  # local name of a leaf: the arrays that are it


@dataclass(frozen=True)
class Part:
    """A leaf, and the arrays that are each of its local names."""

    leaf: Leaf
    arrays: Group


@dataclass(frozen=True)
class Order:
    """Another order of an array's numbers: ``index`` has, for each of the second's, its place in the first's."""

    text: str
    index: np.ndarray


@dataclass(frozen=True)
class Matching:
    """The alignment, and groups of arrays that hold the same numbers, in the same order or in one of ``orders``."""

    alignment: Alignment
    pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    notes: tuple[str, ...]
    left: Sequence[Part]
    right: Sequence[Part]
    orders: Mapping[str, Order] = field(default_factory=dict)  # by the first array of the first's group

    def moved(self, arrays: Mapping[str, np.ndarray], shapes: Shapes, back: bool = False) -> Arrays:
        """Arrays of the first as those of the second, of these shapes, or ``back``; without incomplete groups."""
        result: Arrays = {}
        for one, other in self.pairs:
            source, target = (other, one) if back else (one, other)
            if not all(name in arrays for name in source):
                continue
            values = np.concatenate([arrays[name].ravel() for name in source])
            if order := self.orders.get(one[0]):
                values = values[np.argsort(order.index) if back else order.index]
            for name in target:
                size = int(np.prod(shapes[name]))
                result[name], values = values[:size].reshape(shapes[name]), values[size:]
        return result

    def reversed(self) -> "Matching":
        """The same for the second module and the first."""
        alignment = replace(self.alignment, names={other: one for one, other in self.alignment.names.items()})
        orders = {
            other[0]: replace(order, index=np.argsort(order.index))
            for one, other in self.pairs
            if (order := self.orders.get(one[0]))
        }
        pairs = tuple((other, one) for one, other in self.pairs)
        return Matching(alignment, pairs, self.notes, self.right, self.left, orders)


def _kind(local: str, shape: Shape, locals_: Mapping[str, Shape]) -> str:
    if "running_mean" in locals_ or (local == "weight" and len(shape) <= 1):
        return "norm"
    return "linear" if len(shape) == 2 else "conv" if len(shape) > 2 else "other"


def parts(shapes: Shapes, apart: tuple[str, ...] = ()) -> list[Part]:
    """The layers, in the order of their first arrays; one of another name, or in ``apart``, is alone."""
    layers: dict[str, dict[str, Shape]] = {}
    for name, shape in shapes.items():
        path, _, local = name.rpartition(".")
        if _LOCAL.fullmatch(local) and name not in apart:
            layers.setdefault(path, {})[local] = shape
        else:
            layers[name] = {"": shape}
    found = []
    for path, arrays in layers.items():
        main = next(
            (local for local in ("weight", "weight_orig", "weight_v", "in_proj_weight", *arrays) if local in arrays), ""
        )
        kind = "other" if "" in arrays else _kind(main, arrays[main], arrays)
        leaf = Leaf(path, kind, tuple(sorted(arrays.items())))
        found.append(Part(leaf, {local: (f"{path}.{local}".strip("."),) for local in arrays}))
    return found


def randomised(shapes: Shapes, seed: int = 0) -> Arrays:
    """Arrays of these shapes, as the checks of this project's blocks draw them, in float64."""
    rng = np.random.default_rng(seed)

    def role(name: str, shape: Shape) -> str:
        local = name.rpartition(".")[2]
        if local.startswith("running_"):
            return local
        if not _LOCAL.fullmatch(local) or "weight" not in local or local == "weight_g":
            return "bias"
        return "norm_weight" if len(shape) < 2 else "linear_weight"

    return {name: np.asarray(drawn(rng, role(name, shape), shape), np.float64) for name, shape in shapes.items()}


def in_order(found: list[Part], seen: Mapping[str, object]) -> list[Part]:
    """The layers in order of execution, one that was not seen after the one before it; then arrays without a layer."""
    order = {name: position for position, name in enumerate(seen)}
    keys, last = {}, -1
    for position, part in enumerate(found):
        last = order.get(part.leaf.name, last)
        alone = "" in part.arrays
        keys[part.leaf.name] = (alone, 0 if alone else last, position)
    return sorted(found, key=lambda part: keys[part.leaf.name])


def long(shape: Shape) -> Shape:
    """The axes of a shape that have more than one element."""
    return tuple(n for n in shape if n != 1)


def squeezed(leaf: Leaf) -> Leaf:
    """Without axes of size 1: a 1x1 convolution is a linear layer, (C, 1, 1) is (C,)."""
    matrix = leaf.kind in ("conv", "linear") and len(long(dict(leaf.shapes).get("weight", ()))) == 2
    return Leaf(leaf.name, "linear" if matrix else leaf.kind, tuple((local, long(size)) for local, size in leaf.shapes))


def _exchangeable(leaf: Leaf) -> Leaf:
    """`squeezed`, and kernels without saying which of their first axes is in and which is out."""
    shapes = ((local, (*sorted(n[:2]), *n[2:]) if len(n) > 2 else n) for local, n in squeezed(leaf).shapes)
    return replace(squeezed(leaf), shapes=tuple(shapes))


def _in_form(form: Callable[[Leaf], Leaf], found: list[Part]) -> list[Part]:
    return [replace(part, leaf=form(part.leaf)) for part in found]


def _squeezed(found: list[Part]) -> list[Part]:
    return _in_form(squeezed, found)


def _fused(found: list[Part]) -> list[Part]:
    """Three layers called query, key and value, in a row below one module, as one; in_proj_weight as weight."""
    result: list[Part] = []
    while found:
        three = found[:3]
        heads = [part.leaf.name.rpartition(".") for part in three]
        letters = [role[1][0] if (role := _SEPARATE.fullmatch(head[2].lower())) else "" for head in heads]
        alike = {(head[0], part.leaf.shapes) for head, part in zip(heads, three, strict=True)}
        if sorted(letters) == ["k", "q", "v"] and len(alike) == 1:
            three = [three[letters.index(letter)] for letter in "qkv"]
            shapes = tuple((local, (3 * size[0], *size[1:])) for local, size in three[0].leaf.shapes)
            arrays = {local: tuple(n for part in three for n in part.arrays[local]) for local, _ in shapes}
            result.append(Part(Leaf(" + ".join(p.leaf.name for p in three), three[0].leaf.kind, shapes), arrays))
            found = found[3:]
            continue
        part, found = found[0], found[1:]
        names = {local: local.removeprefix("in_proj_") for local, _ in part.leaf.shapes}
        shapes = tuple(sorted((names[local], size) for local, size in part.leaf.shapes))
        arrays = {names[local]: group for local, group in part.arrays.items()}
        kind = "linear" if "in_proj_weight" in names else part.leaf.kind
        result.append(Part(replace(part.leaf, kind=kind, shapes=shapes), arrays))
    return result


def _single(found: list[Part]) -> list[Part]:
    """Every array alone, by its shape and whether it is a running statistic."""
    result = []
    for part in found:
        for local, size in part.leaf.shapes:
            for name in part.arrays[local]:
                kind = {0: "norm", 1: "norm", 2: "linear"}.get(len(size), "conv")
                key = local if local.startswith("running") else ""
                result.append(Part(Leaf(name, kind, ((key, size),)), {key: (name,)}))
    return result


def match(
    first: tuple[Shapes, Mapping[str, object]],
    second: tuple[Shapes, Mapping[str, object]],
    names: NameMap | None,
    exchanged: bool = False,
) -> Matching:
    """Matches two modules, each by its shapes and the layers that were seen to run, in order.

    Tried in turn: layers as they are; without axes of size 1; if ``exchanged``, with in and out exchanged in kernels;
    with query, key and value fused; arrays one by one.

    Raises:
        PortError: listing the layers that have no partner, or for ``names`` that do not exist or do not fit.
    """
    apart = tuple(name for pair in (names or {}).items() for name in pair)
    one, other = (
        in_order(parts(shapes, tuple(n for n in apart if n in shapes)), seen) for shapes, seen in (first, second)
    )
    swap = ("whose kernels have in and out exchanged", lambda found: _in_form(_exchangeable, found))
    exchanges = (swap,) if exchanged else ()
    forms: tuple[tuple[str, Callable[[list[Part]], list[Part]]], ...] = (
        ("", list),
        ("whose axes of size 1 differ", _squeezed),
        *exchanges,
        ("with query, key and value in one", lambda found: _squeezed(_fused(found))),
        ("array by array, as their layers have other names for them", lambda found: _single(_squeezed(_fused(found)))),
    )
    refused: PortError | None = None
    for how, form in forms:
        left, right = form(one), form(other)
        try:
            alignment = align([part.leaf for part in left], [part.leaf for part in right], names)
        except PortError as error:
            refused = refused or error
            continue
        return _matching(alignment, how, left, right)
    assert refused is not None
    rest = len(refused.details) - SHOWN
    raise type(refused)(str(refused), [*refused.details[:SHOWN], *([f"and {rest} more"] if rest > 0 else [])])


def _matching(alignment: Alignment, how: str, left: list[Part], right: list[Part]) -> Matching:
    ours, theirs = ({part.leaf.name: part.arrays for part in side} for side in (left, right))
    pairs = tuple((group, theirs[b][local]) for a, b in alignment.names.items() for local, group in ours[a].items())
    forms = {"": ()}.get(how, (f"matched layers {how}",))
    return Matching(alignment, pairs, forms, left, right)
