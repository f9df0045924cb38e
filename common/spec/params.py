"""Canonical arrays: drawn from a seed, and written to and read from safetensors.

Names are the spec's (``depthwise.conv.weight``), layouts canonical (kernels OIHW, linear weights [out, in]).
"""

import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from common.layers.values import Shape, fan
from common.spec import BlockSpec

Arrays = dict[str, np.ndarray]
Shapes = Mapping[str, Shape]


def initial(spec: BlockSpec, seed: int = 0) -> Arrays:
    """The spec's initialisation, float32, in network order: training starts from it in every framework."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}
    for node in spec.nodes:
        for name, value in node.layer.initial(rng).items():
            arrays[f"{node.name}.{name}"] = value.astype(np.float32)
    return arrays


def randomised(spec: BlockSpec, seed: int = 0) -> Arrays:
    """The arrays of checks, float32, in network order: no bias is 0, no scale 1, no running statistic 0 or 1.

    Weights keep the variance of activations (variance 2 / fan in): in deep blocks these neither vanish nor explode.
    """
    rng = np.random.default_rng(seed)
    return {param.name: drawn(rng, param.role, param.shape) for param in spec.params()}


def drawn(rng: np.random.Generator, role: str, shape: Shape) -> np.ndarray:
    """An array for checks by its role, float32: see `randomised`. Any other role counts as a bias."""
    match role:
        case "conv_weight" | "linear_weight":
            array = rng.normal(0, math.sqrt(2 / fan(shape)), shape)
        case "norm_weight":
            array = rng.uniform(0.6, 1.4, shape) * rng.choice([-1, 1], shape, p=[0.2, 0.8])
        case "running_var":
            array = rng.uniform(0.5, 2.0, shape)
        case _:
            array = rng.uniform(0.1, 0.5, shape) * rng.choice([-1, 1], shape)
    return array.astype(np.float32)


def misfits(spec: BlockSpec, arrays: Mapping[str, Any]) -> dict[str, list[str]]:
    """`misfits_of` the spec's shapes."""
    return misfits_of({param.name: param.shape for param in spec.params()}, arrays)


def misfits_of(shapes: Shapes, arrays: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is missing, unexpected and mis-shaped (or not an array of real numbers), a line each.

    The line of a missing or unexpected name has its nearest candidate.
    """
    array_shapes: Shapes = {name: tuple(getattr(array, "shape", ())) for name, array in arrays.items()}

    def nearest(name: str, shape: Shape, candidates: Shapes) -> str:
        alike = [other for other in candidates if candidates[other] == shape]
        close = difflib.get_close_matches(name, alike, 1, 0.5) or difflib.get_close_matches(name, candidates, 1, 0.5)
        return f" (nearest: `{close[0]}` {candidates[close[0]]})" if close else ""

    def wrong(name: str) -> str:
        array = arrays[name]
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            return f"is {getattr(array, 'dtype', type(array).__name__)}, not an array of real numbers"
        return "" if array.shape == shapes[name] else f"has shape {array.shape}, not {shapes[name]}"

    missing = {name: shape for name, shape in shapes.items() if name not in array_shapes}
    unexpected = {name: shape for name, shape in array_shapes.items() if name not in shapes}
    return {
        "missing": [f"missing `{n}` {shape}{nearest(n, shape, unexpected)}" for n, shape in missing.items()],
        "unexpected": [f"unexpected `{n}` {shape}{nearest(n, shape, missing)}" for n, shape in unexpected.items()],
        "mis-shaped": [f"`{name}` {wrong(name)}" for name in shapes if name in array_shapes and wrong(name)],
    }


def fits(spec: BlockSpec, arrays: Arrays) -> Arrays:
    """``arrays`` in network order, if they are the spec's.

    Raises:
        ValueError: in one line, naming every array that is missing, unexpected, mis-shaped or not of real numbers.
    """
    if faults := [line for lines in misfits(spec, arrays).values() for line in lines]:
        raise ValueError(f"arrays do not fit `{spec.family}`: {'; '.join(faults)}")
    return {param.name: np.ascontiguousarray(arrays[param.name]) for param in spec.params()}


def save(path: Path, arrays: Arrays) -> None:
    """Writes canonical arrays to a safetensors file."""
    from safetensors.numpy import save_file

    # safetensors would write an array that is not contiguous in the order of its memory.
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def load(path: Path) -> Arrays:
    """Reads canonical arrays from a safetensors file, which holds names, shapes and numbers and nothing that runs."""
    from safetensors.numpy import load_file

    return load_file(path)
