"""A foreign ``linen.Module`` as two functions of its variables."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from flax import linen
from flax.errors import ModifyScopeVariableError

from common.port.given import real
from common.port.live import RANDOM_DEPTHS, called, mode, rate
from common.port.settings import read
from common.port.weights import PortError, flat, nested
from common.spec.params import Arrays
from frameworks.flax.forms import Form, form
from frameworks.flax.live_nnx import switches
from frameworks.flax.settings import settings

STREAMS = ("params", "dropout", "droppath", "drop_path", "stochastic_depth", "random", "noise", "default")
TRAINED, AVERAGED, LOGGED = "params", "batch_stats", ("intermediates", "losses")


class Linen:
    """See `frameworks.flax.live.Live`."""

    training = False  # a linen module has no mode of its own

    def __init__(self, module: linen.Module, xs: Sequence[np.ndarray], variables: Mapping[str, Any]) -> None:
        if module.scope is not None:
            module, variables = module.unbind()
        self._held = {kind: flat(tree) for kind, tree in variables.items()}
        self.dropped: list[tuple[str, float]] = []
        self._options = switches(type(module).__call__)
        self._modules = {train: _switched(module, train) for train in (False, True)}
        self.moded = bool(self._options[True]) or self._modules[False] != self._modules[True]
        owners: dict[str, Any] = {}
        order: list[tuple[str, str]] = []

        def init(xs: Any) -> Any:
            def keep(call: Callable[..., Any], arguments: Any, options: Any, context: Any) -> Any:
                owners.setdefault(".".join(context.module.path), context.module)
                return call(*arguments, **options)

            with linen.intercept_methods(keep):
                found = self._modules[False].init(self._streams(0), *xs, **self._options[False])
            # `eval_shape` returns dicts sorted by name: the order of definition is kept apart.
            order[:] = [(kind, name) for kind, tree in found.items() for name in flat(tree)]
            return found

        zeros = [x.astype(np.float32 if real(x) else np.int32) for x in xs]
        made = jax.eval_shape(init, zeros)
        self.settings = read(settings, owners.items())
        made = {kind: flat(tree) for kind, tree in made.items() if kind not in LOGGED}
        self._constants: dict[str, Any] = {}
        if odd := made.keys() - {TRAINED, AVERAGED}:
            values = jax.jit(init)(zeros) | {kind: variables[kind] for kind in odd & variables.keys()}
            self._constants = {kind: values[kind] for kind in sorted(odd)}
        self.constants = {
            f"{kind}.{n}": np.asarray(v) for kind, tree in self._constants.items() for n, v in flat(tree).items()
        }
        self._names = {kind: [name for which, name in order if which == kind] for kind in (TRAINED, AVERAGED)}
        normed = {_normed(name) for name in self._names[TRAINED]} - {""}
        self.forms: dict[str, Form] = {}
        siblings: dict[str, set[str]] = {}
        for name in self._names[TRAINED]:
            siblings.setdefault(name.rpartition(".")[0], set()).add(name.rpartition(".")[2])
        for kind, names in self._names.items():
            for name in names:
                shape, path = made[kind][name].shape, name.rpartition(".")[0]
                if scaled := _normed(name):
                    self.forms[name] = Form(f"{scaled}.weight_g", shape, tuple(range(len(shape))))
                    continue
                known = siblings.get(path, set())
                self.forms[name] = form(name, shape, owners.get(path), known, kind == AVERAGED, path in normed)

    def _streams(self, passes: Any) -> dict[str, Any]:
        return {name: jax.random.fold_in(jax.random.key(0), passes) for name in STREAMS}

    def filled(self, native: dict[str, np.ndarray]) -> tuple[Any, Any]:
        def fill(kind: str) -> Any:
            return nested({name: jax.numpy.asarray(native[name]) for name in self._names[kind]})

        return fill(TRAINED), fill(AVERAGED)

    def held(self) -> Arrays:
        if not self._held:
            raise PortError("a linen module holds no arrays: give (module, variables), or a file of them to port")
        return {n.replace("/", "."): np.asarray(a) for k in self._names for n, a in self._held.get(k, {}).items()}

    def stored(self, native: Arrays) -> Arrays:
        """A flat state by the names that files have."""
        return {f"{kind}.{name}": native[name] for kind, names in self._names.items() for name in names}

    def leaves(self, tree: Any) -> dict[str, Any]:
        return flat(tree)

    def run(self, params: Any, rest: Any, xs: Any, passes: Any, train: bool) -> tuple[Any, Any, dict[str, Any]]:
        holders, seen = {name.rpartition(".")[0] for name in self.forms}, {}
        self.dropped = []

        def keep(call: Callable[..., Any], arguments: Any, options: Any, context: Any) -> Any:
            module, path = context.module, ".".join(context.module.path)
            if context.method_name != "__call__":
                return call(*arguments, **options)
            if isinstance(module, linen.Dropout) or type(module).__name__ in RANDOM_DEPTHS:
                if train and (p := rate(module)):
                    self.dropped.append((path, p))
                return arguments[0]
            if isinstance(module, linen.MultiHeadDotProductAttention) and module.dropout_rate:
                self.dropped += [(path, float(module.dropout_rate))] if train else []
                options = options | {"deterministic": True}
            y = call(*arguments, **options)
            if path in holders and isinstance(y, jax.Array):
                entry = arguments[0] if arguments and isinstance(arguments[0], jax.Array) else None
                seen[called(path, seen)] = entry, y
            return y

        kept = {k: jax.tree.map(_wide, tree) for k, tree in self._constants.items()}
        variables = {TRAINED: params, AVERAGED: rest, **kept}
        # In evaluation averages cannot change: that is the only switch of some modules' mode.
        mutable = [*([AVERAGED] if train else []), *self._constants]
        try:
            with linen.intercept_methods(keep):
                y, changed = self._modules[train].apply(
                    variables, *xs, rngs=self._streams(passes), mutable=mutable, **self._options[train]
                )
        except ModifyScopeVariableError:
            raise PortError("the module in flax trains in evaluation: no switch of its mode was found") from None
        return y, changed.get(AVERAGED, rest), seen


def _wide(value: Any) -> Any:
    return jax.numpy.asarray(value, "float64") if value.dtype in (np.float32, np.float16) else value


def _normed(name: str) -> str:
    """The layer whose normalised weight this array scales: ``block.WeightNorm_0.Conv_0/kernel/scale``; else nothing."""
    path, _, leaf = name.rpartition(".")
    layer, slash, _ = leaf.partition("/kernel/scale")
    return f"{path.rpartition('.')[0]}.{layer}".strip(".") if slash else ""


def _switched(module: linen.Module, train: bool) -> linen.Module:
    """The module with every field that is a switch of its mode, and those of modules in its fields, set."""
    changed: dict[str, Any] = {}
    for item in dataclasses.fields(module):
        value = getattr(module, item.name, None)
        if isinstance(value, linen.Module) and item.name not in ("parent",):
            changed[item.name] = _switched(value, train)
        elif (isinstance(value, bool) or value is None) and (wanted := mode(item.name, train)) is not None:
            changed[item.name] = train if isinstance(wanted, str) else wanted
    return module.clone(**changed) if changed else module
