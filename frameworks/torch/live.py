"""Any ``nn.Module`` as `common.port.live` runs it."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from common.port.live import DROPOUT_OFF, PRECISION, Observed
from common.port.weights import PortError
from common.spec import INPUT
from common.spec.params import Arrays, Shapes
from frameworks.torch import layout


class Live:
    """A module in float64 with dropout off.

    ``alone`` says that it is compared with a module of its own framework. Otherwise its running variances are given as
    averages of the biased batch variance, which every other framework averages (pytorch#77427).
    """

    framework = "torch"
    precision = PRECISION

    def __init__(self, native: nn.Module, shape: tuple[int, ...], alone: bool) -> None:
        self._module = copy.deepcopy(native).cpu().double()
        self._native, self._alone = native, alone
        self.notes: list[str] = []
        for child in self._module.modules():
            if isinstance(child, _DropoutNd) and child.p:
                child.p = 0.0
                self.notes = [DROPOUT_OFF]
        if not alone and any(isinstance(child, _BatchNorm) for child in self._module.modules()):
            self.notes.append("running variances are given as averages of the biased batch variance (pytorch#77427)")
        state = self._module.state_dict()
        self._state = {name: value for name, value in state.items() if value.is_floating_point()}
        self._counters = [value for name, value in state.items() if name.endswith(layout.STEP_COUNTER)]

    def shapes(self) -> Shapes:
        return {name: tuple(value.shape) for name, value in self._state.items()}

    def arrays(self) -> Arrays:
        return {name: array for name, array in layout.read(self._native).items() if name in self._state}

    def native(self, arrays: Arrays) -> Arrays:
        others = {name: value.numpy() for name, value in self._module.state_dict().items() if name not in self._state}
        fresh = {n: np.zeros_like(a) if n.endswith(layout.STEP_COUNTER) else a for n, a in others.items()}
        return {name: (fresh | arrays)[name] for name in self._module.state_dict()}

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        with torch.no_grad():
            for name, value in self._state.items():
                value.copy_(torch.from_numpy(arrays[name]))
            for counter in self._counters:
                counter.zero_()
        layers: Arrays = {}
        pixels: dict[str, int] = {}
        holders = {name.rpartition(".")[0] for name in self._state}

        def keep(name: str, child: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                layers[name] = output.detach().numpy().copy()  # an activation may overwrite it in place
            if isinstance(child, _BatchNorm):
                pixels[name] = inputs[0].numel() // inputs[0].shape[1]

        handles = [
            child.register_forward_hook(lambda child, inputs, output, name=name: keep(name, child, inputs, output))
            for name, child in self._module.named_modules()
            if name in holders
        ]
        tensor = torch.from_numpy(x.copy()).requires_grad_(dy is not None)
        try:
            output = self._module.train(dy is not None)(tensor)
        finally:
            for handle in handles:
                handle.remove()
        if not isinstance(output, torch.Tensor):
            raise PortError(f"the module returns {type(output).__name__}, not one tensor")
        gradients: Arrays = {}
        if dy is not None:
            self._module.zero_grad()
            output.backward(torch.from_numpy(dy))
            tensors = {INPUT: tensor} | {name: p for name, p in self._module.named_parameters() if p.requires_grad}
            gradients = {name: layout.gradient(value) for name, value in tensors.items()}
        state = {name: value.numpy().copy() for name, value in self._state.items()}
        if dy is not None and not self._alone:
            self._bias(state, arrays, pixels)
        return Observed(output.detach().numpy().copy(), layers, state, gradients)

    def _bias(self, state: Arrays, before: Arrays, pixels: dict[str, int]) -> None:
        """Running variances as if the biased batch variance had been averaged."""
        for name, n in pixels.items():
            variance, norm = f"{name}.running_var".lstrip("."), self._module.get_submodule(name)
            if variance in state and isinstance(norm, _BatchNorm):
                old = before[variance] * (1 - (1.0 if norm.momentum is None else norm.momentum))
                state[variance] = old + (state[variance] - old) * (n - 1) / n
