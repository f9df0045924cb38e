"""Canonical arrays: drawn from a seed, and written to and read from safetensors.

Names are the spec's (``depthwise.conv.weight``), layouts canonical (kernels OIHW, linear weights [out, in]).
"""

import difflib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from common.files import MOST, contents
from common.layers.values import Shape, SpecError, fan
from common.names import shown, spelled
from common.spec import BlockSpec

Arrays = dict[str, np.ndarray]
Shapes = Mapping[str, Shape]
HEADER = 2**24  # bytes of the header of a safetensors file: of 100,000 arrays


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


def misfits_of(shapes: Shapes, arrays: Mapping[str, Any], most: int = 20) -> dict[str, list[str]]:
    """What is missing, unexpected and mis-shaped (or not an array of real numbers), a line each.

    The line of a missing or unexpected name has its nearest candidate; only the first ``most`` lines do, and only so
    many candidates are looked at, because a file may have any number of names, of any length.
    """
    array_shapes: Shapes = {name: tuple(getattr(array, "shape", ())) for name, array in arrays.items()}

    def nearest(name: str, shape: Shape, candidates: Shapes) -> str:
        short = [other for other in candidates if len(other) <= 100][: 10 * most] if len(name) <= 100 else []
        alike = [other for other in short if candidates[other] == shape]
        close = difflib.get_close_matches(name, alike, 1, 0.5) or difflib.get_close_matches(name, short, 1, 0.5)
        return f" (nearest: `{spelled(close[0])}` {candidates[close[0]]})" if close else ""

    def wrong(name: str) -> str:
        array = arrays[name]
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            return f"is {getattr(array, 'dtype', type(array).__name__)}, not an array of real numbers"
        return "" if array.shape == shapes[name] else f"has shape {array.shape}, not {shapes[name]}"

    def lines(word: str, names: Shapes, candidates: Shapes) -> list[str]:
        return [
            f"{word} `{spelled(name)}` {shape}{nearest(name, shape, candidates) if number < most else ''}"
            for number, (name, shape) in enumerate(names.items())
        ]

    missing = {name: shape for name, shape in shapes.items() if name not in array_shapes}
    unexpected = {name: shape for name, shape in array_shapes.items() if name not in shapes}
    return {
        "missing": lines("missing", missing, unexpected),
        "unexpected": lines("unexpected", unexpected, missing),
        "mis-shaped": [f"`{name}` {wrong(name)}" for name in shapes if name in array_shapes and wrong(name)],
    }


def fits(spec: BlockSpec, arrays: Arrays) -> Arrays:
    """``arrays`` in network order, if they are the spec's.

    Raises:
        SpecError: in one line, naming the arrays that are missing, unexpected, mis-shaped, or not of finite numbers.
    """
    if not isinstance(arrays, Mapping):
        raise SpecError(f"`params` (={shown(arrays)}) must be a dict: arrays by name")
    if not (faults := [line for lines in misfits(spec, arrays).values() for line in lines]):
        faults = [f"`{name}` has NaN or infinity" for name, array in arrays.items() if not np.isfinite(array).all()]
    if faults:
        faults[20:] = [f"and {len(faults) - 20} more"] if len(faults) > 20 else []
        raise SpecError(f"arrays do not fit `{spec.family}`: {'; '.join(faults)}")
    return {param.name: np.ascontiguousarray(arrays[param.name]) for param in spec.params()}


def save(path: Path, arrays: Arrays) -> None:
    """Writes canonical arrays to a safetensors file."""
    from safetensors.numpy import save_file

    # safetensors would write an array that is not contiguous in the order of its memory.
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def load(path: Path, most: int = MOST, numbers: bool = True) -> Arrays:
    """Reads arrays from a safetensors file of at most ``most`` bytes: names, shapes and numbers, nothing that runs.

    Without ``numbers`` each is its `shell`, as the header has it.
    """
    from safetensors import numpy

    data = contents(path, most)
    if numbers:
        return numpy.load(data)
    header = json.loads(data[8 : 8 + min(HEADER, int.from_bytes(data[:8], "little"))])
    header.pop("__metadata__", None)
    return {name: shell(entry["shape"], _dtype(entry["dtype"])) for name, entry in header.items()}


def _dtype(word: str) -> str:
    """NumPy's name of a dtype of safetensors: F32 is f4."""
    return "?" if word == "BOOL" else f"{word[0].lower()}{int(word[1:]) // 8}"


def shell(shape: Shape, dtype: Any) -> np.ndarray:
    """An array as the header of a file describes it, with zeros for its numbers: it takes no memory."""
    return np.broadcast_to(np.zeros((), dtype), shape)
