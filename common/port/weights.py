"""What a file of weights must contain to be moved, and trees of named arrays."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from common.names import spelled
from common.spec import BlockSpec
from common.spec.params import Arrays, Shapes, misfits_of

Leaf = TypeVar("Leaf")
LINES = 20  # about a file, at most
DEEPEST = 64  # levels of a tree
COLLECTIONS = ("params", "stats", "batch_stats")  # where JAX and Flax linen keep trained arrays and averages
LOCALS = ("weight", "bias", "running_mean", "running_var")  # the canonical names in a layer


class PortError(ValueError):
    """Weights that cannot be moved: one line, and ``details`` with further lines."""

    def __init__(self, message: str, details: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class Unmatched(PortError):
    """Layers of one network have no partners in another."""


class Disagreement(PortError):
    """Two modules, or two sets of weights, differ that should be equal."""


def flat(tree: Any) -> dict[str, Any]:
    """The leaves of nested dicts and lists by dotted path.

    Raises:
        PortError: for a tree of more than `DEEPEST` levels, or two leaves of one path.
    """
    return distinct(_leaves(tree, ()))


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        children: Iterable[tuple[Any, Any]] = tree.items()
    elif isinstance(tree, list | tuple):
        children = enumerate(tree)
    else:
        yield ".".join(path), tree
        return
    if len(path) >= DEEPEST:
        raise PortError(f"its values are nested more than {DEEPEST} deep")
    for key, child in children:
        yield from _leaves(child, (*path, str(key)))


def distinct(pairs: Iterable[tuple[str, Leaf]], what: str = "arrays") -> dict[str, Leaf]:
    """A dict of names and values.

    Raises:
        PortError: for a name that occurs twice: one of the values would be lost.
    """
    values: dict[str, Leaf] = {}
    for name, value in pairs:
        if name in values:
            raise PortError(f"two of its {what} are `{spelled(name)}`")
        values[name] = value
    return values


def nested(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dicts from dotted paths."""
    tree: dict[str, Any] = {}
    for name, leaf in leaves.items():
        *path, last = name.split(".")
        node = tree
        for key in path:
            node = node.setdefault(key, {})
        node[last] = leaf
    return tree


def unwrapped(leaves: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A tree's leaves without what JAX programs put around the weights, and sentences about what was left out."""
    notes = []
    leaves = distinct((name.replace("/", "."), leaf) for name, leaf in leaves.items())
    heads = {name.split(".")[0] for name in leaves}
    if "params" in heads:
        if left := sorted(heads - set(COLLECTIONS)):
            notes.append(f"left out what is not weights: {listed(left)}")
        parts = ((name.partition("."), leaf) for name, leaf in leaves.items())
        leaves = distinct((name, leaf) for (head, _, name), leaf in parts if head in COLLECTIONS)
    if leaves and all(name.endswith(".value") for name in leaves):  # an nnx.State that was saved as it is
        leaves = {name.removesuffix(".value"): leaf for name, leaf in leaves.items()}
    return leaves, notes


def listed(names: Iterable[object]) -> str:
    """Names that others wrote, the first `LINES` of them."""
    names = list(names)
    more = [f"and {len(names) - LINES} more"] if len(names) > LINES else []
    return ", ".join([*map(spelled, names[:LINES]), *more])


def within(size: int, most: int) -> None:
    """Refuses, before they are made, arrays that take more than ``most`` bytes.

    Raises:
        PortError: if ``size`` is larger.
    """
    if size > most:
        raise PortError(f"its arrays would take {size:,} bytes; at most {most:,} are read for this block")


def as_arrays(leaves: Mapping[str, Any]) -> Arrays:
    """The leaves as NumPy arrays.

    Raises:
        PortError: for a leaf that is no array.
    """
    for name, leaf in leaves.items():
        if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
            raise PortError(f"`{spelled(name)}` is {type(leaf).__name__}, not an array")
    return {name: np.asarray(leaf) for name, leaf in leaves.items()}


def is_index(name: str, array: np.ndarray) -> bool:
    """Whether it is a counter or a table of indices: integers under a name that no weight has."""
    return array.dtype.kind in "iub" and name.rpartition(".")[2] not in LOCALS


def usable(arrays: Arrays) -> None:
    """Refuses arrays that cannot be moved bit for bit; their numbers are not looked at.

    Raises:
        PortError: unless every array is float16, float32 or float64.
    """
    if not arrays:
        raise PortError("it holds no arrays")
    for name, array in arrays.items():
        if array.dtype.name not in ("float16", "float32", "float64"):
            raise PortError(f"`{spelled(name)}` is {array.dtype.name}; weights are float16, float32 or float64")


def finite(arrays: Arrays) -> None:
    """Refuses arrays that cannot be computed with.

    Raises:
        PortError: for one that holds infinities or NaN.
    """
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise PortError(f"`{spelled(name)}` holds numbers that are not finite")


def fit(spec: BlockSpec, arrays: Arrays) -> Arrays:
    """``arrays`` in network order, if names and shapes are the spec's; raises as `fit_shapes` does."""
    return fit_shapes(f"`{spec.family}`", {param.name: param.shape for param in spec.params()}, arrays)


def fit_shapes(what: str, shapes: Shapes, arrays: Arrays) -> Arrays:
    """``arrays`` in the order of ``shapes``, if these are their names and shapes.

    Raises:
        PortError: listing every name that is missing, unexpected or mis-shaped, with its nearest candidate.
    """
    lines = misfits_of(shapes, arrays, LINES)
    if any(lines.values()):
        counts = ", ".join(f"{len(names)} {fault}" for fault, names in lines.items())
        every = [line for kind in lines.values() for line in kind]
        more = [f"and {len(every) - LINES} more"] if len(every) > LINES else []
        raise PortError(f"the arrays do not fit {what}: {counts}", [*every[:LINES], *more])
    return {name: arrays[name] for name in shapes}
