"""Weights on disk as PyTorch users have them: a state dict, pickled or as safetensors."""

import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common.port.weights import PortError
from common.spec import params
from common.spec.params import Arrays

SUFFIXES = (".pt", ".pth", ".safetensors")
WRAPPERS = ("state_dict", "model_state_dict", "model")  # training scripts save it under these keys


def _load(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # its message advises to load without the check
        match = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it asks for `{match[1].rstrip('.')}`" if match else "it is not of tensors alone, or damaged"
        raise PortError(f"{reason}; a state dict of tensors is read, and nothing else") from None


def read(path: Path) -> tuple[Arrays, list[str]]:
    """The state dict by PyTorch's names and layouts, and notes on what was taken off; no code in the file is run."""
    if path.suffix == ".safetensors":
        return params.load(path), []
    state, notes = _load(path), []
    for key in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            left_out = [str(name) for name in state if name != key]
            notes.append(f"took `{key}`" + (f" and left out {', '.join(left_out)}" if left_out else ""))
            state = state[key]
    if not isinstance(state, dict):
        raise PortError(f"it holds {type(state).__name__}, not a state dict")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise PortError(f"`{name}` is {type(value).__name__}, not a tensor")
        if value.dtype == torch.bfloat16:
            raise PortError(f"`{name}` is bfloat16, which NumPy has not; save it as float32, which loses nothing")
    if state and all(name.startswith("module.") for name in state):
        notes.append("took `module.` of DataParallel off the names")
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return {name: value.detach().numpy() for name, value in state.items()}, notes


def write(path: Path, native: Arrays) -> None:
    """Writes a state dict, for ``load_state_dict``."""
    if path.suffix == ".safetensors":
        params.save(path, native)
    else:
        torch.save({name: torch.from_numpy(np.array(array)) for name, array in native.items()}, path)
