"""Weights on disk as Flax users have them: a state's nested dicts in an Orbax directory, msgpack, npz, safetensors."""

from pathlib import Path

import numpy as np
from flax import serialization
from orbax import checkpoint

from common.port.trees import read
from common.port.weights import nested
from common.spec import params
from common.spec.params import Arrays

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = ("", ".orbax", ".msgpack", ".npz", ".safetensors")


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
