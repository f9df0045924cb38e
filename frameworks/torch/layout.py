"""Canonical and PyTorch's names and layouts: they are the same, apart from BatchNorm's step counter."""

import numpy as np
import torch
from torch import nn

from common.port.live import STATISTICS
from common.spec.params import Arrays

# What parametrizations call an array, and the end of the name that it had before: weight norm and spectral norm.
PARAMETRISED = {"original0": "_g", "original1": "_v", "original": "_orig", "_u": "_u", "_v": "_v"}
STEP_COUNTER = "num_batches_tracked"  # BatchNorm's third buffer, used only when momentum is None


def canonical_name(name: str) -> str:
    """``conv.parametrizations.weight.original0`` is ``conv.weight_g``, ``moving_mean`` is ``running_mean``."""
    path, dot, local = name.rpartition(".")
    owner, parametrised, which = path.partition("parametrizations.")
    if parametrised and local in PARAMETRISED:
        return f"{owner}{which.partition('.')[0]}{PARAMETRISED[local]}"
    return f"{path}{dot}{STATISTICS.get(local, local)}"


def write(module: nn.Module, params: Arrays) -> None:
    """Copies canonical arrays into the module, in its dtype and on its device; the step counters stay."""
    state = {name: torch.tensor(array) for name, array in params.items()}
    counters = {name: value for name, value in module.state_dict().items() if name.endswith(STEP_COUNTER)}
    module.load_state_dict(state | counters)


def read(module: nn.Module) -> Arrays:
    """Canonical arrays of the module's parameters and statistics."""
    state = module.state_dict().items()
    return {name: value.detach().cpu().numpy().copy() for name, value in state if not name.endswith(STEP_COUNTER)}


def from_native(state: Arrays) -> Arrays:
    """Canonical arrays of a state dict: all except the step counters."""
    return {name: array for name, array in state.items() if not name.endswith(STEP_COUNTER)}


def to_native(arrays: Arrays) -> Arrays:
    """A state dict of canonical arrays and of step counters at 0, which ``load_state_dict`` requires."""
    state: Arrays = {}
    for name, array in arrays.items():
        state[name] = array
        path, dot, leaf = name.rpartition(".")
        if leaf == "running_var":
            state[f"{path}{dot}{STEP_COUNTER}"] = np.zeros((), np.int64)
    return state


def gradient(tensor: torch.Tensor) -> np.ndarray:
    """The gradient that reached a tensor; zeros where none did."""
    return (torch.zeros_like(tensor) if tensor.grad is None else tensor.grad).detach().cpu().numpy().copy()
