"""Any ``nn.Layer`` as `common.port.comparing` runs it."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import paddle
from paddle import nn

from common.port.given import real
from common.port.live import (
    DROPOUT_OFF,
    STATISTICS,
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
from frameworks.paddle import layout
from frameworks.paddle.settings import settings
from frameworks.paddle.widened import Widened

LAYOUTS = ("nchw",)
# Its training is exact to float32 only (`frameworks.paddle.layers`): the gradient of average pooling multiplies by a
# reciprocal rounded to float32, and norms average their statistics with a momentum rounded to float32.
PRECISION = 2.0**-24


def _transposed(layer: nn.Layer, array: np.ndarray) -> np.ndarray:
    """From Paddle's layout to the canonical one, or back: linear weights are [in, out] in Paddle."""
    return np.ascontiguousarray(array.T) if isinstance(layer, nn.Linear) and array.ndim == 2 else array


class Live:
    """A layer in float64 with dropout off."""

    def __init__(self, native: nn.Layer, shapes: Sequence[tuple[int, ...]], alone: bool, layout: str) -> None:
        self._native = native
        self._layer = copy.deepcopy(native).to(device="cpu", dtype=paddle.float64)
        self.notes: list[str] = []
        self._state: dict[str, tuple[nn.Layer, Any]] = {}
        self._constants: dict[str, Any] = {}
        self._owners: dict[str, str] = {}  # path of a layer that holds arrays: the path of their first name
        self._names: dict[str, str] = {}  # name in the layer's state: canonical name, the first of an array's names
        held: dict[int, str] = {}
        for path, layer in self._layer.named_sublayers(include_self=True):
            for local, value in [*layer._parameters.items(), *layer._buffers.items()]:
                own = _canonical(name := f"{path}.{local}".strip("."))
                if value is None or not value.is_floating_point():
                    continue
                weights = {f"{path}.{name}".strip(".") for name in layer._parameters}
                if isinstance(value, paddle.base.framework.EagerParamBase) or buffered(own, weights):
                    first = held.setdefault(id(value), own)
                    self._owners.setdefault(path, first.rpartition(".")[0])
                    self._names[name] = first
                    if first == own:
                        self._state[own] = layer, value
                else:
                    if value.dtype != paddle.float64:
                        layer._buffers[local] = value = value.astype("float64")
                    self._constants[own] = value
            for name, value in list(vars(layer).items()):
                if name in ("_dtype", "dtype") and value is not None:
                    object.__setattr__(layer, name, "float64")
        self._kept = {name: value.numpy().copy() for name, value in self._constants.items()}
        shapes_ = {name: _transposed(layer, value.numpy()).shape for name, (layer, value) in self._state.items()}
        kept = tuple(name for name in native.state_dict() if name not in self._names)
        children = self._layer.named_sublayers(include_self=True)
        own = read(settings, ((self._owners.get(path, path), child) for path, child in children))
        self.nature = Nature(
            "paddle", PRECISION, shapes_, constants=self._kept, training=native.training, kept=kept, settings=own
        )

    def _held(self) -> Arrays:
        return {name: value.numpy().copy() for name, value in self._native.state_dict().items()}

    def arrays(self, state: Arrays | None = None) -> Arrays:
        held = self._held() if state is None else state
        shapes = {name: tuple(value.shape) for name, (_, value) in self._state.items()}
        found = canonical(held, self._names, shapes, self.nature.kept)
        return {name: _transposed(layer, found[name]) for name, (layer, _) in self._state.items()}

    def native(self, arrays: Arrays) -> Arrays:
        own = {name: _transposed(layer, arrays[name]) for name, (layer, _) in self._state.items()}
        return {n: own[self._names[n]] if n in self._names else array for n, array in self._held().items()}

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        train = dys is not None
        rng = np.random.default_rng(loose) if loose else None
        for name, (layer, value) in self._state.items():
            value.set_value(paddle.to_tensor(_transposed(layer, arrays[name]), dtype=value.dtype, place="cpu"))
            value.clear_gradient()
        for name, value in self._constants.items():
            error = 0.0 if rng is None else 2.0**-24 * rng.standard_normal(value.shape)
            value.set_value(paddle.to_tensor(self._kept[name] * (1 + error), place="cpu"))
        layers: Arrays = {}
        entries: Arrays = {}
        stack: list[str] = []
        starts: list[Any] = []
        calls: list[str] = []

        def enter(name: str, layer: nn.Layer, inputs: Any) -> Any:
            stack.append(name)
            calls.append(self._owners.get(name, name))
            starts.append(_copied(inputs[0]) if name in self._owners and inputs else None)

        def leave(name: str, layer: nn.Layer, inputs: Any, output: Any) -> Any:
            stack.pop()
            start = starts.pop()
            if name in self._owners and isinstance(output, paddle.Tensor):
                key = called(self._owners[name], layers)
                layers[key] = _copied(output)
                if start is not None:
                    entries[key] = start

        handles: list[Any] = []
        for name, child in self._layer.named_sublayers(include_self=True):
            handles.append(child.register_forward_pre_hook(partial(enter, name)))
            handles.append(child.register_forward_post_hook(partial(leave, name)))
        tensors = [paddle.to_tensor(x, place="cpu") for x in xs]
        for tensor, x in zip(tensors, xs, strict=True):
            tensor.stop_gradient = not (train and real(x))
        (self._layer.train if train else self._layer.eval)()
        for child in self._layer.sublayers(include_self=True):
            for name, value in list(vars(child).items()):
                if name != "training" and isinstance(value, bool) and mode(name, train) is not None:
                    object.__setattr__(child, name, mode(name, train))
        widened = Widened(self._layer, stack, loose)
        try:
            with widened:  # the layer may work on its input in place
                result = self._layer(*(tensor.clone() for tensor in tensors))
        finally:
            for handle in handles:
                handle.remove()
        found = outputs(result, paddle.Tensor)
        values = {name: _copied(y) for name, y in found.items()}
        gradients: Arrays = {}
        if dys is not None:
            cotangents = dys.of({name: tuple(y.shape) for name, y in found.items()})
            pairs = [(y, paddle.to_tensor(cotangents[n], place="cpu")) for n, y in found.items() if not y.stop_gradient]
            if pairs:
                paddle.autograd.backward([y for y, _ in pairs], [dy for _, dy in pairs])
            trained = {name: held for name, held in self._state.items() if not held[1].stop_gradient}
            gradients = {name: _transposed(layer, layout.gradient(p)) for name, (layer, p) in trained.items()}
        if widened.dropped:
            self.notes.append(DROPOUT_OFF)
        state = {name: _transposed(layer, value.numpy()).copy() for name, (layer, value) in self._state.items()}
        inputs = [layout.gradient(tensor) for tensor in tensors if not tensor.stop_gradient]
        return Observed(values, layers, entries, state, gradients, inputs, widened.dropped, calls)


def _canonical(name: str) -> str:
    path, dot, local = layout.canonical(name).rpartition(".")
    return f"{path}{dot}{STATISTICS.get(local, local)}"


def _copied(tensor: Any) -> Any:
    return tensor.numpy().copy() if isinstance(tensor, paddle.Tensor) else None
