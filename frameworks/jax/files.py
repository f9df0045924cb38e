"""Weights on disk as JAX users have them: a pytree in an Orbax directory, msgpack, npz, safetensors."""

from pathlib import Path

import numpy as np
from flax import serialization
from orbax import checkpoint

from common.port.trees import read
from common.port.weights import nested
from common.spec import params
from common.spec.params import Arrays
from frameworks.jax.layout import STATISTICS, lists

__all__ = ["SUFFIXES", "read", "write"]

SUFFIXES = ("", ".orbax", ".msgpack", ".npz", ".safetensors")


def write(path: Path, native: Arrays) -> None:
    """Writes ``{"params": ..., "stats": ...}`` (paths joined by dots in npz and safetensors).

    An Orbax directory keeps the pytree's lists; msgpack has dicts by index instead, as ``to_bytes`` writes them.
    """
    tree = {"params": {}, "stats": {}} | nested(native)
    for name in native:
        _, *layer, last = name.split(".")
        parent = tree["params"]
        for key in layer if last in STATISTICS.values() else ():  # a norm that trains nothing has an empty dict
            parent = parent.setdefault(key, {})
    if path.suffix == ".safetensors":
        params.save(path, native)
    elif path.suffix == ".npz":
        np.savez(path, **native)  # type: ignore[arg-type]
    elif path.suffix == ".msgpack":
        path.write_bytes(serialization.msgpack_serialize(tree))
    else:
        with checkpoint.StandardCheckpointer() as orbax:
            orbax.save(path.absolute(), lists(tree))
