"""Weights on disk as Flax users have them: a state's nested dicts in an Orbax directory, msgpack, npz, safetensors."""

from pathlib import Path

import jax
import numpy as np
from flax import serialization
from orbax import checkpoint

from common.files import MOST, contents
from common.port.weights import as_arrays, flat, nested, unwrapped
from common.spec import params
from common.spec.params import Arrays

SUFFIXES = ("", ".orbax", ".msgpack", ".npz", ".safetensors")


def read(path: Path, most: int = MOST) -> tuple[Arrays, list[str]]:
    """The leaves by dotted path, below ``params`` and ``batch_stats`` where a file has these; no pickle is read."""
    if path.is_dir():
        with jax.enable_x64(True), checkpoint.StandardCheckpointer() as orbax:
            tree = orbax.restore(path.absolute())
    elif path.suffix == ".msgpack":
        tree = serialization.msgpack_restore(contents(path, most))
    elif path.suffix == ".npz":
        with path.open("rb") as file:  # if `np.load` opens a damaged file, it leaves it open
            tree = dict(np.load(file, allow_pickle=False))
    else:
        tree = params.load(path, most)
    leaves, notes = unwrapped(flat(tree))
    return as_arrays(leaves), notes


def write(path: Path, native: Arrays) -> None:
    """Writes nested dicts, for ``nnx.replace_by_pure_dict`` (paths joined by dots in npz and safetensors)."""
    if path.suffix == ".safetensors":
        params.save(path, native)
    elif path.suffix == ".npz":
        np.savez(path, **native)  # type: ignore[arg-type]
    elif path.suffix == ".msgpack":
        path.write_bytes(serialization.msgpack_serialize(nested(native)))
    else:
        with checkpoint.StandardCheckpointer() as orbax:
            orbax.save(path.absolute(), nested(native))
