"""Weights on disk as PyTorch users have them: a state dict, pickled or as safetensors."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common.files import MOST, contents
from common.names import spelled
from common.port.weights import PortError, listed, within
from common.spec import params
from common.spec.params import Arrays
from frameworks.torch.storages import Archive, Tensor, stored

SUFFIXES = (".pt", ".pth", ".safetensors")
WRAPPERS = ("state_dict", "model_state_dict", "model")  # training scripts save it under these keys


def read(path: Path, most: int = MOST, numbers: bool = True) -> tuple[Arrays, list[str]]:
    """The state dict by PyTorch's names and layouts, and notes on what was taken off; no code in the file is run."""
    if path.suffix == ".safetensors":
        return params.load(path, most, numbers), []
    archive, notes = Archive(contents(path, most)), []
    state = archive.value
    for key in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            left_out = [name for name in state if name != key]
            notes.append(f"took `{key}`" + (f" and left out {listed(left_out)}" if left_out else ""))
            state = state[key]
    if not isinstance(state, dict):
        raise PortError(f"it holds {type(state).__name__}, not a state dict")
    tensors = {name: _tensor(name, value) for name, value in state.items()}
    within(sum(tensor.bytes for tensor in tensors.values()), most)
    values = archive.array if numbers else Tensor.shell
    arrays = {name: values(tensor) for name, tensor in tensors.items()}
    if arrays and all(name.startswith("module.") for name in arrays):
        notes.append("took `module.` of DataParallel off the names")
        arrays = {name.removeprefix("module."): array for name, array in arrays.items()}
    return arrays, notes


def _tensor(name: Any, value: Any) -> Tensor:
    try:
        if not isinstance(name, str):
            raise PortError("is named by a number; names are words")
        return stored(value)
    except PortError as error:
        raise PortError(f"`{spelled(name)}` {error}") from None


def write(path: Path, native: Arrays) -> None:
    """Writes a state dict, for ``load_state_dict``."""
    if path.suffix == ".safetensors":
        params.save(path, native)
    else:
        file = io.BytesIO()  # on a full disk PyTorch's own writer speaks of positions
        torch.save({name: torch.from_numpy(np.array(array)) for name, array in native.items()}, file)
        path.write_bytes(file.getbuffer())
