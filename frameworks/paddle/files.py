"""Weights on disk as Paddle users have them: a ``state_dict``, pickled or as safetensors."""

import pickle
from pathlib import Path
from typing import Any

import paddle

from common.port.weights import PortError, as_arrays
from common.spec import params
from common.spec.params import Arrays

SUFFIXES = (".pdparams", ".safetensors")
NAMES = "StructuredToParameterName@@"  # `paddle.save` keeps Paddle's internal names of the parameters under this key
# What a pickle of dicts and arrays is made of; `numpy.core` is the name of `numpy._core` before NumPy 2.
ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
    ("builtins", "tuple"),
}


class ArraysOnly(pickle.Unpickler):
    """An unpickler that knows dicts and NumPy arrays, and refuses any other name before it is imported."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise PortError(f"it asks for `{module}.{name}`; a dict of arrays is read, and nothing else")
        return super().find_class(module, name)


def read(path: Path) -> tuple[Arrays, list[str]]:
    """The state by Paddle's names and layouts, and notes on what was left out; no code in the file is run."""
    if path.suffix == ".safetensors":
        return params.load(path), []
    with path.open("rb") as file:
        state = ArraysOnly(file).load()
    if not isinstance(state, dict):
        raise PortError(f"it holds {type(state).__name__}, not a state_dict")
    notes = []
    for key in ("model", "state_dict"):
        if isinstance(state.get(key), dict):
            left_out = [str(name) for name in state if name != key]
            notes.append(f"took `{key}`" + (f" and left out {', '.join(left_out)}" if left_out else ""))
            state = state[key]
    # A tensor that was not in a state_dict is a pair of its name and its array.
    values = {
        name: value[1] if isinstance(value, tuple) and len(value) == 2 else value for name, value in state.items()
    }
    return as_arrays({name: value for name, value in values.items() if name != NAMES}), notes


def write(path: Path, native: Arrays) -> None:
    """Writes a state_dict, for ``set_state_dict``."""
    if path.suffix == ".safetensors":
        params.save(path, native)
    else:
        paddle.save(dict(native), str(path))  # pyright: ignore[reportArgumentType] - it takes arrays too
