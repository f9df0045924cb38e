"""Pools and activations of a program of JAX, which hold no arrays, and the order in which they and the layers run."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core

from common.port.settings import Settings

# Functions of `jax.nn` by the name of their program, and the setting that is their second argument, with its default.
NAMED = {"relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "hard_silu": "Hardswish", "hard_sigmoid": "Hardsigmoid"}
NAMED |= {"elu": "ELU", "leaky_relu": "LeakyReLU", "mish": "Mish", "softplus": "Softplus", "selu": "SELU"}
NAMED |= {"celu": "CELU", "logistic": "Sigmoid", "tanh": "Tanh"}
SECOND = {"elu": ("alpha", 1.0), "celu": ("alpha", 1.0), "leaky_relu": ("slope", 0.01)}
_ARITHMETIC = ("add", "sub", "mul", "div", "neg")
_GELU = 0.7978845608  # the root of 2 / pi: only GELU multiplies by it before a tanh


def steps(
    function: Callable[..., Any], names: Sequence[str], values: Sequence[Any], xs: Sequence[Any], channels_last: bool
) -> tuple[dict[str, Settings], list[str]]:
    """The settings of each pool and activation, and the calls of these and of layers in order.

    ``names`` are those of ``values``, arrays of layers, with which ``function(values, xs)`` computes.
    """
    jaxpr = jax.make_jaxpr(function)(list(values), list(xs)).jaxpr
    program = _Program(channels_last)
    layers = [name.rpartition(".")[0] or name for name in names]
    program.walk(jaxpr, dict(zip(jaxpr.invars, layers, strict=False)), {*jaxpr.invars[len(values) :]}, set())
    return program.settings, program.calls


class _Program:
    def __init__(self, channels_last: bool) -> None:
        self.settings: dict[str, Settings] = {}
        self.calls: list[str] = []
        self._last, self._channels_last = "", channels_last

    def walk(self, jaxpr: core.Jaxpr, layers: dict[Any, str], live: set[Any], shared: set[Any]) -> None:
        """Reads every equation; ``layers`` own variables, and ``live`` ones depend on the input.

        What takes a ``shared`` variable is only a part of a function that somebody wrote by hand.
        """
        uses = Counter(atom for equation in jaxpr.eqns for atom in equation.invars if not _literal(atom))
        makers: dict[Any, Any] = {made: equation for equation in jaxpr.eqns for made in equation.outvars}
        takers = {atom: equation for equation in jaxpr.eqns for atom in equation.invars if not _literal(atom)}
        for equation in jaxpr.eqns:
            atoms = equation.invars
            for layer in (layers[atom] for atom in atoms if not _literal(atom) and atom in layers):
                if layer != self._last:
                    self.calls.append(layer)
                self._last = layer
            moved = [atom for atom in atoms if not _literal(atom) and atom in live]
            if not moved:
                continue
            live.update(equation.outvars)
            shared.update(atom for atom in moved if uses[atom] > 1 or _by_number(makers.get(atom)))
            taker = takers.get(equation.outvars[0])
            maker, alone = makers.get(moved[0]), moved[0] not in shared
            if own := self._pool(equation, taker) or _function(equation, taker, maker, alone):
                self._note(own)
                continue
            closed: Any = equation.params.get("jaxpr") or equation.params.get("call_jaxpr")
            inner = getattr(closed, "jaxpr", closed)
            if equation.params.get("name") not in NAMED and len(getattr(inner, "invars", ())) == len(atoms):
                pairs = [(v, a) for v, a in zip(inner.invars, atoms, strict=True) if not _literal(a)]
                below = {variable: layers[atom] for variable, atom in pairs if atom in layers}
                moving, parts = ({variable for variable, atom in pairs if atom in kind} for kind in (live, shared))
                self.walk(inner, below, moving, parts)

    def _note(self, own: Settings) -> None:
        kind = "pool" if "window" in own else "activation"
        where = f"after {self._last}" if self._last else "of the input"
        count = sum(name.startswith(kind) and name.endswith(where) for name in self.settings)
        name = f"{kind} {count + 1} {where}" if count else f"{kind} {where}"
        self.settings[name] = own
        self.calls.append(name)

    def _pool(self, equation: Any, taker: Any) -> Settings:
        name, params = equation.primitive.name, equation.params
        if name not in ("reduce_window_max", "reduce_window_sum"):
            return {}
        axes = slice(1, -1) if self._channels_last else slice(2, None)
        window, padding = params["window_dimensions"], params["padding"]
        if len(window) < 3 or any(n != 1 for n in (*window[:1], window[-1 if self._channels_last else 1])):
            return {}
        done: Settings = {"window": tuple(window[axes]), "stride": tuple(params["window_strides"][axes])}
        done |= {"padding": tuple(map(tuple, padding[axes])), "size": tuple(equation.invars[0].aval.shape[axes])}
        if name == "reduce_window_max":
            return done | {"pool": "maximum"}
        if taker is None or taker.primitive.name not in ("div", "mul"):
            return done | {"pool": "sum"}
        constant = all(_literal(atom) or atom is equation.outvars[0] for atom in taker.invars)
        counted = {"count_include_pad": constant} if any(map(any, padding)) else {}
        return done | counted | {"pool": "average"}


def _literal(atom: Any) -> bool:
    return isinstance(atom, core.Literal)


def _by_number(equation: Any) -> bool:
    return bool(equation) and equation.primitive.name in _ARITHMETIC and any(map(_literal, equation.invars))


def _numbers(equation: Any) -> list[float]:
    return [float(atom.val) for atom in equation.invars if _literal(atom)] if equation else []


def _function(equation: Any, taker: Any, maker: Any, alone: bool) -> Settings:
    name = equation.primitive.name
    if name in ("erf", "erfc"):
        return {"function": "GELU", "approximation": "exact"}
    if name == "tanh" and any(abs(number - _GELU) < 1e-6 for number in _numbers(maker)):
        return {"function": "GELU", "approximation": "tanh"}
    if not alone:
        return {}
    called = equation.params.get("name") or name
    if called in ("clip", "clamp"):
        return {"function": "ReLU6" if _numbers(equation) == [0, 6] else "Hardtanh"}
    if called == "max" and _numbers(equation) == [0]:
        bounds = _numbers(taker) if taker and taker.primitive.name == "min" else []
        return {"function": "ReLU" if not bounds else "ReLU6" if bounds == [6] else "Hardtanh"}
    if called not in NAMED:
        return {}
    word, default = SECOND.get(called, ("", 0.0))
    numbers = _numbers(equation) or ([default] if len(equation.invars) == 1 else [])
    return {"function": NAMED[called]} | ({word: numbers[0]} if word and numbers else {})
