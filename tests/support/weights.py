"""Blocks to port, and weights of theirs in every format."""

from pathlib import Path

import frameworks
from common.spec.catalogue import CATALOGUE, block
from common.spec.params import Arrays

OPTIONS = {name: dict(entry.cases[-1].spec.options) for name, entry in CATALOGUE.items()}  # the last is a small one
TINY = block("conv_bn_act", in_channels=3, out_channels=4, bias=True)
TINY_OPTIONS = ["--block", "conv_bn_act", "--set", "in_channels=3", "--set", "out_channels=4", "--set", "bias=true"]


def suffixes() -> list[tuple[str, str]]:
    """Every format of every framework, as they are documented; a framework's own list is held against it below."""
    trees = ("", ".msgpack", ".npz", ".safetensors")
    rows = {"torch": (".pt", ".pth", ".safetensors"), "paddle": (".pdparams", ".safetensors")}
    return [(name, suffix) for name, own in (rows | {"jax": trees, "flax": trees}).items() for suffix in own]


def write(backend: str, path: Path, arrays: Arrays) -> Path:
    frameworks.part(backend, "files").write(path, frameworks.part(backend, "layout").to_native(arrays))
    return path


def bits(arrays: Arrays) -> dict[str, tuple[object, ...]]:
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}
