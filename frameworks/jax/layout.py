"""Canonical names and layouts to and from two pytrees: what is trained, and the running statistics.

``depthwise.conv.weight`` [O, I, H, W] is ``params["depthwise"]["conv"]["kernel"]`` [H, W, I, O]; a number in a path is
an index into a list.
"""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import Sharding

from common.port.weights import distinct
from common.spec.params import Arrays

Tree = Any
STATISTICS = {"running_mean": "mean", "running_var": "var"}
CANONICAL = {"kernel": "weight", "scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}
# Haiku's: layers are called `net/~/conv`, and the averages of a norm are below `norm/~/mean_ema`.
CANONICAL |= {"w": "weight", "b": "bias", "offset": "bias"}
AVERAGES = {"mean_ema": "running_mean", "var_ema": "running_var"}
NO_WEIGHTS = ("hidden", "counter")  # in an average: what it starts from again after a restart of training


def _native(name: str, array: np.ndarray) -> tuple[list[str], np.ndarray]:
    *path, leaf = name.split(".")
    if leaf == "weight":
        leaf = "scale" if array.ndim == 1 else "kernel"
    return [*path, STATISTICS.get(leaf, leaf)], native_array(array)


def native_array(array: np.ndarray) -> np.ndarray:
    """A canonical array in JAX's layout: kernels OIHW become HWIO, matrices are transposed."""
    return array.transpose((2, 3, 1, 0)) if array.ndim == 4 else array.T


def _canonical(path: list[str], array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The canonical name and array, or nothing for what is no weight."""
    *parents, leaf = [key for key in "/".join(path).split("/") if key != "~"]
    if parents and parents[-1] in AVERAGES:
        if leaf in NO_WEIGHTS:
            return
        leaf = AVERAGES[parents.pop()]
    name = CANONICAL.get(leaf, leaf)
    if _is_vector(array.shape) and leaf not in ("kernel", "w", "weight"):  # Haiku has (1, 1, 1, C), Equinox (C, 1, 1)
        array = array.reshape(-1)
    elif leaf != "weight":  # Equinox's, which is canonical already
        array = array.transpose((3, 2, 0, 1)) if array.ndim == 4 else array.T
    yield ".".join([*parents, name]), np.ascontiguousarray(array)


def _is_vector(shape: tuple[int, ...]) -> bool:
    return bool(shape) and sum(size > 1 for size in shape) <= 1


def as_leaf(path: tuple[Any, ...], shape: tuple[int, ...], array: np.ndarray) -> np.ndarray:
    """A canonical array as the leaf of this shape at ``path`` of a tree."""
    if keys(path)[-1] == "weight" or _is_vector(shape):
        return array.reshape(shape)
    return native_array(array)


def lists(tree: Tree) -> Tree:
    """The tree with every dict whose keys are 0, 1, ... as a list; one with gaps stays a dict."""
    if not isinstance(tree, dict):
        return tree
    children = {key: lists(child) for key, child in tree.items()}
    return list(children.values()) if children and list(children) == list(map(str, range(len(children)))) else children


def write(arrays: Arrays, dtype: str, place: Sharding) -> tuple[Tree, Tree]:
    """(params, stats) on the device; a layer without trained arrays (a norm that is not affine) has an empty dict."""
    params: Tree = {}
    stats: Tree = {}
    for name, array in arrays.items():
        path, value = _native(name, array)
        statistic = path[-1] in STATISTICS.values()
        for tree, holds in ((params, not statistic), (stats, statistic)):
            if holds or tree is params:
                for key in path[:-1]:
                    tree = tree.setdefault(key, {})
            if holds:
                tree[path[-1]] = jax.device_put(value.astype(dtype, order="C"), place)
    return lists(params), lists(stats)


def keys(path: tuple[Any, ...]) -> list[str]:
    """The keys, indices and attributes on the way to a leaf."""
    return [str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", None)))) for key in path]


def leaves(tree: Tree) -> Iterator[tuple[str, np.ndarray]]:
    """Canonical names and arrays of a tree's leaves."""
    for path, value in jax.tree_util.tree_leaves_with_path(tree):
        yield from leaf(path, value)


def leaf(path: tuple[Any, ...], value: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The canonical name and array of a tree's leaf, or nothing for what is no weight."""
    return _canonical(keys(path), np.asarray(value))


def from_native(state: Arrays) -> Arrays:
    """Canonical arrays of the leaves, by dotted path, of both trees."""
    return distinct(leaf for name, array in state.items() for leaf in _canonical(name.split("."), array))


def to_native(arrays: Arrays) -> Arrays:
    """Leaves by dotted path, below ``params`` and ``stats``, of canonical arrays."""
    leaves = [_native(name, array) for name, array in arrays.items()]
    return {
        ".".join(["stats" if path[-1] in STATISTICS.values() else "params", *path]): np.ascontiguousarray(array)
        for path, array in leaves
    }
