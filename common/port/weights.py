"""What a file of weights must contain to be moved, and trees of named arrays."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from common.spec import BlockSpec
from common.spec.params import Arrays, Shapes, misfits_of

COLLECTIONS = ("params", "stats", "batch_stats")  # where JAX and Flax linen keep trained arrays and averages
LOCALS = ("weight", "bias", "running_mean", "running_var")  # the canonical names in a layer


class PortError(ValueError):
    """Weights that cannot be moved: one line, and ``details`` with further lines."""

    def __init__(self, message: str, details: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class Disagreement(PortError):
    """Two modules, or two sets of weights, differ that should be equal."""


def flat(tree: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """The leaves of nested dicts and lists by dotted path."""
    if isinstance(tree, Mapping):
        children: Iterable[tuple[Any, Any]] = tree.items()
    elif isinstance(tree, list | tuple):
        children = enumerate(tree)
    else:
        return {".".join(path): tree}
    return {name: leaf for key, child in children for name, leaf in flat(child, (*path, str(key))).items()}


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
    leaves = {name.replace("/", "."): leaf for name, leaf in leaves.items()}
    heads = {name.split(".")[0] for name in leaves}
    if "params" in heads:
        if left := sorted(heads - set(COLLECTIONS)):
            notes.append(f"left out what is not weights: {', '.join(left)}")
        leaves = {name.partition(".")[2]: leaf for name, leaf in leaves.items() if name.split(".")[0] in COLLECTIONS}
    if leaves and all(name.endswith(".value") for name in leaves):  # an nnx.State that was saved as it is
        leaves = {name.removesuffix(".value"): leaf for name, leaf in leaves.items()}
    return leaves, notes


def as_arrays(leaves: Mapping[str, Any]) -> Arrays:
    """The leaves as NumPy arrays.

    Raises:
        PortError: for a leaf that is no array.
    """
    for name, leaf in leaves.items():
        if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
            raise PortError(f"`{name}` is {type(leaf).__name__}, not an array")
    return {name: np.asarray(leaf) for name, leaf in leaves.items()}


def is_index(name: str, array: np.ndarray) -> bool:
    """Whether it is a counter or a table of indices: integers under a name that no weight has."""
    return array.dtype.kind in "iub" and name.rpartition(".")[2] not in LOCALS


def usable(arrays: Arrays) -> None:
    """Refuses arrays that cannot be moved bit for bit or not be computed with.

    Raises:
        PortError: unless every array is of finite float16, float32 or float64 numbers.
    """
    if not arrays:
        raise PortError("it holds no arrays")
    for name, array in arrays.items():
        if array.dtype.name not in ("float16", "float32", "float64"):
            raise PortError(f"`{name}` is {array.dtype.name}; weights are float16, float32 or float64")
        if not np.isfinite(array).all():
            raise PortError(f"`{name}` holds numbers that are not finite")


def fit(spec: BlockSpec, arrays: Arrays) -> Arrays:
    """``arrays`` in network order, if names and shapes are the spec's; raises as `fit_shapes` does."""
    return fit_shapes(f"`{spec.family}`", {param.name: param.shape for param in spec.params()}, arrays)


def fit_shapes(what: str, shapes: Shapes, arrays: Arrays) -> Arrays:
    """``arrays`` in the order of ``shapes``, if these are their names and shapes.

    Raises:
        PortError: listing every name that is missing, unexpected or mis-shaped, with its nearest candidate.
    """
    lines = misfits_of(shapes, arrays)
    if any(lines.values()):
        counts = ", ".join(f"{len(names)} {fault}" for fault, names in lines.items())
        raise PortError(f"the arrays do not fit {what}: {counts}", [line for k in lines for line in lines[k]])
    return {name: arrays[name] for name in shapes}
