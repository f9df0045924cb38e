"""Any ``nn.Module`` as `common.port.comparing` runs it."""

import copy
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.jit._trace import TopLevelTracedModule
from torch.nn.modules.batchnorm import _BatchNorm

from common.port.given import real
from common.port.live import (
    DROPOUT_OFF,
    PRECISION,
    Cotangents,
    Nature,
    Observed,
    buffered,
    called,
    canonical,
    mode,
    outputs,
)
from common.port.settings import read
from common.spec.params import Arrays
from frameworks.torch.layout import STEP_COUNTER, canonical_name, gradient
from frameworks.torch.settings import settings
from frameworks.torch.widened import Widened, loosened, switched_off

LAYOUTS = ("nchw",)
BIASED = "running variances are given as averages of the biased batch variance (pytorch#77427)"


def _plain(module: nn.Module) -> nn.Module:
    """A copy without compilers around it or its parts."""
    if isinstance(module, torch.jit.ScriptModule):  # the arrays of its `deepcopy` have no gradients
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.save(module, buffer := io.BytesIO())
            buffer.seek(0)
            return torch.jit.load(buffer)
    memo: dict[int, Any] = {}
    for child in module.modules():
        for value in vars(child).values():  # a weight that a hook computes is no leaf, which `deepcopy` refuses
            if isinstance(value, torch.Tensor) and value.grad_fn is not None:
                memo[id(value)] = value.detach().clone()
    module = getattr(copy.deepcopy(module, memo), "_orig_mod", None) or copy.deepcopy(module, memo)
    for child in module.modules():
        child._compiled_call_impl = None
        for name, part in child.named_children():
            if hasattr(part, "_orig_mod"):
                setattr(child, name, part._orig_mod)
    return module


class Live:
    """A module in float64 with dropout off.

    ``alone`` says that it is compared with a module of its own framework. Otherwise its running variances are given as
    averages of the biased batch variance, which every other framework averages (pytorch#77427).
    """

    def __init__(self, native: nn.Module, shapes: Sequence[tuple[int, ...]], alone: bool, layout: str) -> None:
        self._native, self._module = native, _plain(native)
        trained = {name: value.requires_grad for name, value in self._module.named_parameters()}
        with torch.no_grad():  # a script's arrays would be results of the conversion
            self._module.cpu().double()
        for name, value in self._module.named_parameters():
            value.requires_grad_(trained[name])
        self._alone = alone
        self.notes: list[str] = []
        for child in self._module.modules():
            if isinstance(child, nn.RNNBase):
                child.dropout = 0.0
            for name, value in vars(child).items():
                if value is torch.float32 or value in (torch.float16, torch.bfloat16):
                    setattr(child, name, torch.float64)
        if not alone and any(isinstance(child, _BatchNorm) for child in self._module.modules()):
            self.notes.append(BIASED)
        self._state: dict[str, torch.Tensor] = {}
        self._constants: dict[str, torch.Tensor] = {}
        self._counters: list[torch.Tensor] = []
        self._owners: dict[str, str] = {}  # path of a module that holds arrays: the path of their first name
        self._names: dict[str, str] = {}  # name in the module: canonical name, the first of an array's names
        held: dict[tuple[int, Any], str] = {}
        params = dict(self._module.named_parameters(remove_duplicate=False))
        weights = {*map(canonical_name, params)}
        for name, value in [*params.items(), *self._module.named_buffers(remove_duplicate=False)]:
            own = canonical_name(name)
            path = (
                name.partition("parametrizations.")[0].strip(".")
                if "parametrizations." in name
                else name.rpartition(".")[0]
            )
            if name.endswith(STEP_COUNTER):
                self._counters.append(value)
            elif name in params or buffered(own, weights):
                first = held.setdefault((value.data_ptr(), value.shape) if value.numel() else (0, own), own)
                self._owners.setdefault(path, first.rpartition(".")[0])
                self._names[name] = first
                if first == own:
                    self._state[own] = value
            elif value.is_floating_point():
                self._constants[name] = value
        self._kept = {name: value.clone() for name, value in self._constants.items()}
        ordered = self._ordered()
        constants = {name: value.numpy().copy() for name, value in self._kept.items()}
        traced = isinstance(native, TopLevelTracedModule)  # whose mode is that of its trace
        kept = tuple(name for name in self._module.state_dict() if name not in self._names)
        moded, training = not traced, native.training and not traced
        children = self._module.named_modules(remove_duplicate=False)
        own = read(settings, ((self._owners.get(path, path), child) for path, child in children))
        self.nature = Nature("torch", PRECISION, ordered, False, moded, constants, training, kept, own)

    def _ordered(self) -> dict[str, tuple[int, ...]]:
        """Shapes in the order of the modules' definition."""
        paths = {
            name: position for position, (name, _) in enumerate(self._module.named_modules(remove_duplicate=False))
        }
        names = sorted(self._state, key=lambda name: paths.get(name.rpartition(".")[0], 0))
        self._state = {name: self._state[name] for name in names}
        return {name: tuple(value.shape) for name, value in self._state.items()}

    def _held(self) -> Arrays:
        state = _plain(self._native).state_dict()
        return {name: value.detach().cpu().numpy().copy() for name, value in state.items()}

    def arrays(self, state: Arrays | None = None) -> Arrays:
        held = self._held() if state is None else state
        return canonical(held, self._names, self.nature.shapes, self.nature.kept)

    def native(self, arrays: Arrays) -> Arrays:
        counters = (name for name in self.nature.kept if name.endswith(STEP_COUNTER))
        held = self._held() | {name: np.zeros((), np.int64) for name in counters}
        return {name: arrays[self._names[name]] if name in self._names else own for name, own in held.items()}

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        train = dys is not None
        rng = np.random.default_rng(loose) if loose else None
        with torch.no_grad():
            for name, value in self._state.items():
                value.copy_(torch.from_numpy(np.asarray(arrays[name])))  # a number is no array
            for name, value in self._constants.items():
                error = 0.0 if rng is None else 2.0**-24 * torch.from_numpy(rng.standard_normal(value.shape))
                value.copy_(self._kept[name] * (1 + error))
            for counter in self._counters:
                counter.zero_()
        layers: Arrays = {}
        entries: Arrays = {}
        variances: dict[str, list[tuple[int, torch.Tensor]]] = {}
        stack: list[str] = []
        starts: list[Any] = []
        calls: list[str] = []

        def enter(name: str, child: nn.Module, inputs: Any) -> None:
            stack.append(name)
            calls.append(self._owners.get(name, name))
            starts.append(_copied(inputs[0]) if name in self._owners and inputs else None)

        def leave(name: str, child: nn.Module, inputs: Any, output: Any) -> None:
            stack.pop()
            start = starts.pop()
            if name in self._owners and isinstance(output, torch.Tensor):
                key = called(self._owners[name], layers)
                layers[key] = _copied(output)
                if start is not None:
                    entries[key] = start
            if isinstance(child, _BatchNorm) and child.running_var is not None:
                pixels = inputs[0].numel() // inputs[0].shape[1]
                variances.setdefault(self._owners.get(name, name), []).append((pixels, child.running_var.clone()))

        handles: list[Any] = []
        for name, child in self._module.named_modules():
            if not isinstance(child, torch.jit.ScriptModule):
                handles.append(child.register_forward_pre_hook(lambda c, i, name=name: enter(name, c, i)))
                handles.append(child.register_forward_hook(lambda c, i, o, name=name: leave(name, c, i, o)))
        tensors = [torch.from_numpy(x.copy()).requires_grad_(train and real(x)) for x in xs]
        widened = Widened(stack, loose is not None)
        default = torch.get_default_dtype()
        self._module.train(train)
        for child in self._module.modules():
            for name, value in vars(child).items():
                if name != "training" and isinstance(value, bool) and mode(name, train) is not None:
                    setattr(child, name, mode(name, train))
        try:
            torch.set_default_dtype(torch.float64)
            with (
                torch.set_grad_enabled(train),
                switched_off(self._module, widened),
                loosened(self._module, loose),
                widened,
            ):
                # The module may work on its input in place.
                result = self._module(*(tensor.clone() for tensor in tensors))
        finally:
            torch.set_default_dtype(default)
            for handle in handles:
                handle.remove()
        found = outputs(result, torch.Tensor)
        gradients: Arrays = {}
        values = {name: _copied(y) for name, y in found.items()}
        if dys is not None:
            self._module.zero_grad()
            cotangents = dys.of({name: tuple(y.shape) for name, y in found.items()})
            pairs = [(y, torch.from_numpy(cotangents[name])) for name, y in found.items() if y.requires_grad]
            if pairs:
                torch.autograd.backward([y for y, _ in pairs], [dy for _, dy in pairs])
            trained = {name: p for name, p in self._state.items() if p.requires_grad}
            gradients = {name: gradient(value) for name, value in trained.items()}
        if widened.dropped:
            self.notes.append(DROPOUT_OFF)
        state = {name: _copied(value) for name, value in self._state.items()}
        if train and not self._alone:
            self._bias(state, arrays, variances)
        inputs = [gradient(tensor) for tensor in tensors if tensor.requires_grad]
        return Observed(values, layers, entries, state, gradients, inputs, widened.dropped, calls)

    def _bias(self, state: Arrays, before: Arrays, variances: dict[str, list[tuple[int, torch.Tensor]]]) -> None:
        """Running variances as if the biased batch variance had been averaged, call by call."""
        for owner, calls in variances.items():
            name = f"{owner}.running_var".lstrip(".")
            norm = self._module.get_submodule(owner)
            if name not in state or not isinstance(norm, _BatchNorm):
                continue
            biased = last = before[name]
            for number, (pixels, after) in enumerate(calls, 1):
                keep = 1 - (1 / number if norm.momentum is None else norm.momentum)
                moved = after.numpy() - keep * last
                biased, last = keep * biased + moved * (pixels - 1) / pixels, after.numpy()
            state[name] = biased


def _copied(tensor: Any) -> Any:
    return tensor.detach().numpy().copy() if isinstance(tensor, torch.Tensor) else None
