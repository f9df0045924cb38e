"""A foreign ``nnx.Module`` as two functions of its state."""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import jax
import numpy as np
from flax import nnx

from common.port.live import RANDOM_DEPTHS, called, mode, rate
from common.port.settings import read
from common.spec.params import Arrays
from frameworks.flax import layout
from frameworks.flax.forms import Form, form
from frameworks.flax.settings import settings


def switches(function: Callable[..., Any]) -> dict[bool, dict[str, Any]]:
    """The arguments by which a call is told its mode, in evaluation (False) and in training (True)."""
    accepted = inspect.signature(function).parameters
    found: dict[bool, dict[str, Any]] = {False: {}, True: {}}
    for name, parameter in accepted.items():
        boolean = isinstance(parameter.default, bool) or parameter.annotation in (bool, "bool")
        for train in found:
            if (value := mode(name, train)) is not None:
                found[train][name] = train if boolean and isinstance(value, str) else value
    return found


class Nnx:
    """See `frameworks.flax.live.Live`."""

    def __init__(self, module: nnx.Module) -> None:
        module = nnx.clone(module)
        self.dropped: list[tuple[str, float]] = []
        self._options = switches(type(module).__call__)
        children = layout.modules(module)
        self.settings = read(settings, children.items())
        self.training = any(getattr(child, "use_running_average", None) is False for child in children.values())
        own = [
            (c, n)
            for c in children.values()
            for n, v in vars(c).items()
            if isinstance(v, bool) and mode(n, True) is not None
        ]
        self.moded = bool(self._options[True] or own)

        def switch(train: bool) -> None:
            (module.train if train else module.eval)()
            for child, name in own:
                value = mode(name, train)
                setattr(child, name, train if isinstance(value, str) else value)

        switch(True)
        self._training, self._params, self._rest = nnx.split(module, nnx.Param, ...)
        switch(False)
        self._evaluation = nnx.graphdef(module)
        variables = {_name(path): variable for path, variable in nnx.to_flat_state(nnx.state(module))}
        normed = {name.partition(".scales.")[0] for name in variables if ".scales." in f".{name}"}
        self.forms: dict[str, Form] = {}
        self.constants: dict[str, np.ndarray] = {}
        siblings: dict[str, set[str]] = {}
        for name in variables:
            siblings.setdefault(name.rpartition(".")[0], set()).add(name.rpartition(".")[2])
        for name, variable in variables.items():
            if isinstance(variable, nnx.RngState):
                continue
            if not isinstance(variable, nnx.Param | nnx.BatchStat):
                self.constants[name] = np.asarray(variable.get_value())
                continue
            path = name.rpartition(".")[0]
            inside, scales, leaf = f".{name}".rpartition(".scales.")
            shape = variable.get_value().shape
            if scales and leaf == "kernel":
                self.forms[name] = Form(f"{inside}.layer_instance.weight_g".strip("."), shape, tuple(range(len(shape))))
                continue
            wrapped = path.removesuffix(".layer_instance") in normed or (path == "layer_instance" and "" in normed)
            statistic = isinstance(variable, nnx.BatchStat)
            self.forms[name] = form(name, shape, children.get(path), siblings[path], statistic, wrapped)

    def filled(self, native: dict[str, np.ndarray]) -> tuple[nnx.State, nnx.State]:
        def fill(path: tuple[Any, ...], variable: nnx.Variable) -> nnx.Variable:
            name = _name(path)
            if name in native:
                return variable.replace(jax.numpy.asarray(native[name]))
            value = variable.get_value()
            narrow = getattr(value, "dtype", None) in (np.float32, np.float16)
            return variable.replace(jax.numpy.asarray(value, "float64")) if narrow else variable

        return nnx.map_state(fill, self._params), nnx.map_state(fill, self._rest)

    def held(self) -> Arrays:
        leaves = self.leaves(self._params) | self.leaves(self._rest)
        return {name.replace("/", "."): np.asarray(leaves[name]) for name in self.forms}

    def stored(self, native: Arrays) -> Arrays:
        """A flat state by the names that files have."""
        return native

    def leaves(self, state: nnx.State) -> dict[str, Any]:
        return {_name(path): variable.get_value() for path, variable in nnx.to_flat_state(state)}

    def run(self, params: Any, rest: Any, xs: Any, passes: Any, train: bool) -> tuple[Any, Any, dict[str, Any]]:
        def reseeded(path: Any, variable: nnx.Variable) -> nnx.Variable:  # so that two passes differ if they are random
            count = isinstance(variable, nnx.RngCount)
            return variable.replace(variable.get_value() + passes) if count else variable

        rest = nnx.map_state(reseeded, rest)
        module = nnx.merge(self._training if train else self._evaluation, params, rest, copy=True)
        holders = {name.rpartition(".")[0] for name in self.forms}
        self.dropped = []
        with self._watched(layout.modules(module), holders, train) as seen:
            y = module(*xs, **self._options[train])
        return y, nnx.state(module, nnx.Not(nnx.Param)), seen

    @contextlib.contextmanager
    def _watched(
        self, children: dict[str, nnx.Module], holders: set[str], train: bool
    ) -> Iterator[dict[str, tuple[Any, jax.Array]]]:
        """While active, collects what layers take and return, by path in the order of their calls; dropout is off."""
        seen: dict[str, tuple[Any, jax.Array]] = {}
        paths = {id(child): path for path, child in children.items()}
        active: set[int] = set()

        def watched(call: Callable[..., Any], random: bool) -> Callable[..., Any]:
            def keep(child: nnx.Module, *arguments: Any, **options: Any) -> Any:
                path = paths.get(id(child))
                if random:
                    if train and (p := rate(child)):
                        self.dropped.append((path or "", p))
                    return arguments[0]
                if path not in holders or id(child) in active:  # a call of its base class is no other call
                    return call(child, *arguments, **options)
                active.add(id(child))
                if isinstance(child, nnx.MultiHeadAttention) and child.dropout_rate:
                    self.dropped += [(path or "", float(child.dropout_rate))] if train else []
                    options["deterministic"] = True
                y = call(child, *arguments, **options)
                active.remove(id(child))
                if isinstance(y, jax.Array):
                    entry = arguments[0] if arguments and isinstance(arguments[0], jax.Array) else None
                    seen[called(path or "", seen)] = entry, y
                return y

            return keep

        with contextlib.ExitStack() as patches:
            for kind in {type(child) for child in children.values()}:
                random = issubclass(kind, nnx.Dropout) or kind.__name__ in RANDOM_DEPTHS
                if "__call__" in dir(kind):
                    patches.enter_context(mock.patch.object(kind, "__call__", watched(kind.__call__, random)))
            yield seen


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(".".join(map(str, part)) if isinstance(part, tuple) else str(part) for part in path)
