"""Any ``nnx.Module`` or ``linen.Module`` as `common.port.live` runs it; activations are NHWC inside."""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import jax
import numpy as np
from flax import linen, nnx

from common.port.live import DROPOUT_OFF, PRECISION, Observed
from common.port.weights import PortError, flat, nested
from common.spec import INPUT
from common.spec.params import Arrays, Shapes
from frameworks.flax import layout

MODES = ("train", "training", "is_training")  # what linen modules call the argument of their mode; or its opposite:
OPPOSITES = ("deterministic", "use_running_average")


def to_nhwc(x: np.ndarray) -> np.ndarray:
    """A map as ``[n, h, w, c]``; ``[n, features]`` stays."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x


class Live:
    """A module in float64 with dropout off: ``run(params, rest, x) -> y, (rest, seen)`` in either mode, compiled."""

    framework = "flax"
    precision = PRECISION

    def __init__(self, native: nnx.Module | linen.Module, shape: tuple[int, ...], alone: bool) -> None:
        with jax.enable_x64(True):
            self._module = Linen(native, shape) if isinstance(native, linen.Module) else Nnx(native)
        self._order: list[str] = []
        self.notes = self._module.notes

        def run(params: Any, rest: Any, x: jax.Array, train: bool) -> Any:
            y, rest, seen = self._module.run(params, rest, x, train)
            if not isinstance(y, jax.Array):
                raise PortError(f"the module returns {type(y).__name__}, not one array")
            # A jitted function returns dicts sorted by name: the order of execution is kept apart.
            self._order = list(seen)
            return y, (rest, seen)

        def train(params: Any, rest: Any, x: jax.Array, dy: jax.Array) -> Any:
            y, pull, aux = jax.vjp(lambda params, x: run(params, rest, x, True), params, x, has_aux=True)
            return y, aux, pull(dy)

        self._evaluate = jax.jit(lambda params, rest, x: run(params, rest, x, False))
        self._train = jax.jit(train)

    def shapes(self) -> Shapes:
        return self._module.shapes

    def arrays(self) -> Arrays:
        return self._module.arrays()

    def native(self, arrays: Arrays) -> Arrays:
        return self._module.native(layout.to_native(arrays))

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        with jax.enable_x64(True):
            params, rest = self._module.filled(layout.to_native(arrays))
            gradients: Arrays = {}
            if dy is None:
                y, (rest, seen) = self._evaluate(params, rest, to_nhwc(x))
            else:
                y, (rest, seen), (dparams, dx) = self._train(params, rest, to_nhwc(x), to_nhwc(dy))
                gradients = {INPUT: layout.activation(dx), **self._module.canonical(dparams)}
            state = self._module.canonical(params) | self._module.canonical(rest)
            outputs = {name: layout.activation(seen[name]) for name in self._order}
            return Observed(layout.activation(y), outputs, state, gradients)


class Nnx:
    """An ``nnx.Module`` as two functions of its state."""

    def __init__(self, module: nnx.Module) -> None:
        module = nnx.clone(module)
        self.notes: list[str] = []
        for child in layout.modules(module).values():
            if isinstance(child, nnx.Dropout) and child.rate:
                child.rate = 0.0
                self.notes[:] = [DROPOUT_OFF]
            if getattr(child, "dtype", None) is not None and isinstance(child, (nnx.Conv, nnx.Linear, nnx.BatchNorm)):
                child.dtype = None  # or it would compute in that type, whatever its input is
        module.train()
        self._training, self._params, self._rest = nnx.split(module, nnx.Param, ...)
        module.eval()
        self._evaluation = nnx.graphdef(module)
        self._arrays = layout.read(module)
        self.shapes: Shapes = {name: array.shape for name, array in self._arrays.items()}

    def filled(self, native: Arrays) -> tuple[nnx.State, nnx.State]:
        def fill(path: tuple[Any, ...], variable: nnx.Variable) -> nnx.Variable:
            name = ".".join(map(str, path))
            return variable.replace(jax.numpy.asarray(native[name])) if name in native else variable

        return nnx.map_state(fill, self._params), nnx.map_state(fill, self._rest)

    def arrays(self) -> Arrays:
        return self._arrays

    def native(self, leaves: Arrays) -> Arrays:
        return leaves

    def canonical(self, state: nnx.State) -> Arrays:
        return layout.canonical(nnx.filter_state(state, layout.ARRAYS))

    def run(self, params: Any, rest: Any, x: jax.Array, train: bool) -> tuple[Any, Any, dict[str, jax.Array]]:
        module = nnx.merge(self._training if train else self._evaluation, params, rest, copy=True)
        holders = {name.rpartition(".")[0] for name in self.shapes}
        with _watched(
            {id(child): path for path, child in layout.modules(module).items() if path in holders}, module
        ) as seen:
            y = module(x)
        return y, nnx.state(module, nnx.Not(nnx.Param)), seen


@contextlib.contextmanager
def _watched(paths: dict[int, str], module: nnx.Module) -> Iterator[dict[str, jax.Array]]:
    """While active, collects what these modules return, by path in the order of their calls."""
    seen: dict[str, jax.Array] = {}
    kinds = {type(child) for child in layout.modules(module).values() if id(child) in paths}

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def keep(self: nnx.Module, *arguments: Any, **options: Any) -> Any:
            y = call(self, *arguments, **options)
            if id(self) in paths and isinstance(y, jax.Array):
                seen[paths[id(self)]] = y
            return y

        return keep

    with contextlib.ExitStack() as patches:
        for kind in kinds:
            if "__call__" in dir(kind):
                patches.enter_context(mock.patch.object(kind, "__call__", watched(kind.__call__)))
        yield seen


class Linen:
    """A ``linen.Module`` as two functions of its variables."""

    def __init__(self, module: linen.Module, shape: tuple[int, ...]) -> None:
        self._module = module
        self.notes: list[str] = []
        accepted = inspect.signature(type(module).__call__).parameters
        self._modes = {name: True for name in MODES if name in accepted} | dict.fromkeys(
            (name for name in OPPOSITES if name in accepted), False
        )
        keys = {"params": jax.random.key(0), "dropout": jax.random.key(0)}
        x = jax.ShapeDtypeStruct((shape[0], *shape[2:], shape[1]), "float64")
        variables = jax.eval_shape(lambda x: module.init(keys, x, **self._options(train=False)), x)
        self._variables = {name: tree for name, tree in variables.items() if name in ("params", "batch_stats")}
        if odd := sorted(variables.keys() - self._variables.keys()):
            raise PortError(f"the module keeps `{odd[0]}` beside params and batch_stats, which is not supported")
        shapes = {name: np.empty(leaf.shape) for tree in self._variables.values() for name, leaf in flat(tree).items()}
        self.shapes: Shapes = {name: array.shape for name, array in layout.from_native(shapes).items()}

    def _options(self, train: bool) -> dict[str, Any]:
        return {name: train == sense for name, sense in self._modes.items()}

    def filled(self, native: Arrays) -> tuple[Any, Any]:
        def fill(kind: str) -> Any:
            names = flat(self._variables.get(kind, {}))
            return nested({name: jax.numpy.asarray(native[name]) for name in names})

        return fill("params"), fill("batch_stats")

    def arrays(self) -> Arrays:
        raise PortError("a linen module holds no arrays; port a file of them")

    def native(self, leaves: Arrays) -> Arrays:
        return {f"{kind}.{name}": leaves[name] for kind, tree in self._variables.items() for name in flat(tree)}

    def canonical(self, tree: Any) -> Arrays:
        return layout.from_native({name: np.asarray(leaf) for name, leaf in flat(tree).items()})

    def run(self, params: Any, rest: Any, x: jax.Array, train: bool) -> tuple[Any, Any, dict[str, jax.Array]]:
        holders, seen = {name.rpartition(".")[0] for name in self.shapes}, {}

        def keep(call: Callable[..., Any], arguments: Any, options: Any, context: Any) -> Any:
            if isinstance(context.module, linen.Dropout) and context.method_name == "__call__":
                self.notes[:] = [DROPOUT_OFF]
                return arguments[0]
            y = call(*arguments, **options)
            path = ".".join(context.module.path)
            if context.method_name == "__call__" and path in holders and isinstance(y, jax.Array):
                seen[path] = y
            return y

        variables = {"params": params, "batch_stats": rest}
        with linen.intercept_methods(keep):
            if not train:
                return self._module.apply(variables, x, **self._options(train)), rest, seen
            y, changed = self._module.apply(variables, x, mutable=["batch_stats"], **self._options(train))
        return y, changed.get("batch_stats", rest), seen
