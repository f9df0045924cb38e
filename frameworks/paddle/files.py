"""Weights on disk as Paddle users have them: a ``state_dict``, pickled or as safetensors."""

import io
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import paddle

from common.files import MOST, contents
from common.names import spelled
from common.port import pickles
from common.port.pickles import NUMBERS, Call, Name
from common.port.weights import PortError, within
from common.spec import params
from common.spec.params import Arrays

SUFFIXES = (".pdparams", ".safetensors")
NAMES = "StructuredToParameterName@@"  # `paddle.save` keeps Paddle's internal names of the parameters under this key
# What a pickle of dicts and arrays names. `numpy.core` is `numpy._core` before NumPy 2, `__builtin__` is of Python 2.
RECONSTRUCT = tuple(f"numpy.{core}.multiarray._reconstruct" for core in ("core", "_core"))
FROM_BUFFER = tuple(f"numpy.{core}.numeric._frombuffer" for core in ("core", "_core"))
TUPLE = ("builtins.tuple", "__builtin__.tuple")
ENCODE = "_codecs.encode"  # bytes, as protocol 2 has them
ALLOWED = {"numpy.ndarray", "numpy.dtype", *RECONSTRUCT, *FROM_BUFFER, ENCODE, pickles.ORDERED_DICT, *TUPLE}


class Stored(NamedTuple):
    """An array of a pickle: its shape, dtype and order, and its numbers as bytes, or as text of one letter a byte."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: str
    data: bytes | bytearray | str

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def array(self) -> np.ndarray:
        data = self.data.encode("latin-1") if isinstance(self.data, str) else self.data
        return np.frombuffer(data, self.dtype).reshape(self.shape, order=self.order)  # type: ignore[call-overload]


def _stored(value: Any) -> Stored:
    match value:
        case Call(function, (Name("numpy.ndarray"), *_), (1, shape, dtype, bool() as fortran, data)) if (
            function in RECONSTRUCT
        ):
            order = "F" if fortran else "C"
        case Call(function, (data, dtype, shape, ("C" | "F") as order), None) if function in FROM_BUFFER:
            pass
        case Call(function):
            raise PortError(f"is made by `{function}` in an unusual way; arrays are read as NumPy pickles them")
        case _:
            raise PortError(f"is {type(value).__name__}, not an array")
    match dtype:
        case Call("numpy.dtype", (str() as number, *_), (3, "<" | "|", None, None, None, -1, -1, 0)) if (
            number in NUMBERS
        ):
            pass
        case _:
            raise PortError(f"is of an unusual dtype; choose from {', '.join(NUMBERS)} in this machine's byte order")
    match data:
        case Call("_codecs.encode", (str() as text, "latin1"), None):
            data = text
        case bytes() | bytearray():
            pass
        case _:
            raise PortError(f"has its numbers in {type(data).__name__}, not in bytes")
    stored = Stored(pickles.dimensions(shape), np.dtype(number), order, data)
    if stored.bytes != len(data):
        raise PortError(f"has {len(data)} bytes; its shape {stored.shape} of {stored.dtype} needs {stored.bytes}")
    return stored


def read(path: Path, most: int = MOST, numbers: bool = True) -> tuple[Arrays, list[str]]:
    """The state by Paddle's names and layouts, and notes on what was left out; no code in the file is run.

    A pickle has its numbers among the shapes and as they are, so they are there without ``numbers``, too.
    """
    if path.suffix == ".safetensors":
        return params.load(path, most, numbers), []
    state = pickles.load(io.BytesIO(contents(path, most)), ALLOWED)
    if not isinstance(state, dict):
        raise PortError(f"it holds {type(state).__name__}, not a state_dict")
    notes = []
    for key in ("model", "state_dict"):
        if isinstance(state.get(key), dict):
            left_out = [str(name) for name in state if name != key]
            notes.append(f"took `{key}`" + (f" and left out {', '.join(left_out)}" if left_out else ""))
            state = state[key]
    arrays: dict[str, Stored] = {}
    for name, value in state.items():
        if name == NAMES:
            continue
        match value:  # a tensor that was not in a state_dict is a pair of its name and its array
            case (_, pickled) | Call("builtins.tuple" | "__builtin__.tuple", ((_, pickled),), None):
                value = pickled
        try:
            if not isinstance(name, str):
                raise PortError("is named by a number; names are words")
            arrays[name] = _stored(value)
        except PortError as error:
            raise PortError(f"`{spelled(name)}` {error}") from None
    within(sum(stored.bytes for stored in arrays.values()), most)
    return {name: stored.array() for name, stored in arrays.items()}, notes


def write(path: Path, native: Arrays) -> None:
    """Writes a state_dict, for ``set_state_dict``."""
    if path.suffix == ".safetensors":
        params.save(path, native)
    else:
        paddle.save(dict(native), str(path))  # pyright: ignore[reportArgumentType] - it takes arrays too
