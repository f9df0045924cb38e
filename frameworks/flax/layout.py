"""Canonical and Flax's names and layouts: two small tables, by the last part of a path and by the rank of an array."""

from collections.abc import Hashable

import jax
import numpy as np
from flax import nnx

from common.port.weights import distinct
from common.spec.params import Arrays

ARRAYS = nnx.Any(nnx.Param, nnx.BatchStat)  # the state of random streams is not part of the block
LEAVES = {"kernel": "weight", "scale": "weight", "mean": "running_mean", "var": "running_var"}
STATISTICS = {"running_mean": "mean", "running_var": "var"}
# By rank: vectors stay, linear weights [out, in] become [in, out], kernels OIHW become HWIO.
TO_FLAX = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}
TO_CANONICAL = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}


def _name(path: tuple[Hashable, ...]) -> str:
    """``("blocks", 0, "norm", "scale")`` is ``blocks.0.norm.weight``."""
    *module, leaf = map(str, path)
    return ".".join([*module, LEAVES.get(leaf, leaf)])


def names(module: nnx.Module, kind: type[nnx.Variable]) -> frozenset[str]:
    """Canonical names of the module's variables of one kind."""
    return frozenset(_name(path) for path, _ in nnx.to_flat_state(nnx.state(module, kind)))


def modules(module: nnx.Module) -> dict[str, nnx.Module]:
    """The module (as ``""``) and all its submodules by path: ``blocks.0.norm``."""
    return {".".join(map(str, path)): child for path, child in nnx.iter_modules(module)}


def write(module: nnx.Module, params: Arrays) -> None:
    """Copies canonical arrays into the module's variables, in their dtype and on their device.

    The variables may still be shapes without values, as `nnx.eval_shape` leaves them.
    """
    flat = {_name(path): (path, variable) for path, variable in nnx.to_flat_state(nnx.state(module, ARRAYS))}
    if params.keys() != flat.keys():
        raise ValueError(
            f"{type(module).__name__} does not hold what the spec says: {sorted(params.keys() ^ flat.keys())}"
        )
    written = []
    for name, (path, variable) in flat.items():
        # A copy: on a CPU, JAX may use the memory of the array that it takes.
        value = params[name].transpose(TO_FLAX[params[name].ndim]).astype(variable.dtype, order="C")
        written.append((path, variable.replace(jax.device_put(value, variable.get_value().sharding))))
    nnx.update(module, nnx.from_flat_state(written))


def read(module: nnx.Module) -> Arrays:
    """Canonical arrays of the module's parameters and statistics."""
    return canonical(nnx.state(module, ARRAYS))


def canonical(state: nnx.State) -> Arrays:
    """Canonical arrays of a state: a module's variables, or their gradients."""
    arrays = {_name(path): np.asarray(variable.get_value()) for path, variable in nnx.to_flat_state(state)}
    return {name: array.transpose(TO_CANONICAL[array.ndim]).copy() for name, array in arrays.items()}


def from_native(state: Arrays) -> Arrays:
    """Canonical arrays of a state's leaves, by dotted path."""
    return distinct(
        (_name(tuple(name.split("."))), array.transpose(TO_CANONICAL.get(array.ndim))) for name, array in state.items()
    )


def to_native(arrays: Arrays) -> Arrays:
    """A state's leaves by dotted path, from canonical arrays."""
    state = {}
    for name, array in arrays.items():
        *path, leaf = name.split(".")
        leaf = STATISTICS.get(leaf, leaf) if leaf != "weight" else "scale" if array.ndim == 1 else "kernel"
        state[".".join([*path, leaf])] = np.ascontiguousarray(array.transpose(TO_FLAX[array.ndim]))
    return state


def activation(y: jax.Array) -> np.ndarray:
    """``[n, h, w, c]`` as ``[n, c, h, w]``; ``[n, classes]`` stays."""
    return np.moveaxis(np.asarray(y), -1, 1).copy()
