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


def _native(name: str, array: np.ndarray) -> tuple[list[str], np.ndarray]:
    *path, leaf = name.split(".")
    if leaf == "weight":
        leaf = "scale" if array.ndim == 1 else "kernel"
    return [*path, STATISTICS.get(leaf, leaf)], native_array(array)


def native_array(array: np.ndarray) -> np.ndarray:
    """A canonical array in JAX's layout: kernels OIHW become HWIO, matrices are transposed."""
    return array.transpose((2, 3, 1, 0)) if array.ndim == 4 else array.T


def _canonical(path: list[str], array: np.ndarray) -> tuple[str, np.ndarray]:
    *parents, leaf = path
    array = array.transpose((3, 2, 0, 1)) if array.ndim == 4 else array.T
    return ".".join([*parents, CANONICAL.get(leaf, leaf)]), array


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


def leaves(tree: Tree) -> Iterator[tuple[str, np.ndarray]]:
    """Canonical names and arrays of a tree's leaves."""
    for path, value in jax.tree_util.tree_leaves_with_path(tree):
        keys = [str(getattr(key, "key", getattr(key, "idx", None))) for key in path]
        name, array = _canonical(keys, np.asarray(value))
        yield name, np.ascontiguousarray(array)


def from_native(state: Arrays) -> Arrays:
    """Canonical arrays of the leaves, by dotted path, of both trees."""
    return distinct(_canonical(name.split("."), array) for name, array in state.items())


def to_native(arrays: Arrays) -> Arrays:
    """Leaves by dotted path, below ``params`` and ``stats``, of canonical arrays."""
    leaves = [_native(name, array) for name, array in arrays.items()]
    return {
        ".".join(["stats" if path[-1] in STATISTICS.values() else "params", *path]): np.ascontiguousarray(array)
        for path, array in leaves
    }
