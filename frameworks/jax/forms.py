"""Canonical names and layouts of a foreign function's arrays, from their paths and from what is computed of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend import core

from common.port.live import STATISTICS

LEAVES = {"kernel": "weight", "w": "weight", "W": "weight", "b": "bias", "embeddings": "weight", "offset": "bias"}
AVERAGES = {"mean": "running_mean", "var": "running_var"} | STATISTICS
# Haiku keeps an average of a norm, and what it starts from again after a restart of training, below a module.
_EMAS, _RESTART = {"mean_ema": "running_mean", "var_ema": "running_var"}, ("hidden", "counter")
_PLAIN = ("copy", "convert_element_type", "stop_gradient", "copy_p")
_SHAPED = ("broadcast_in_dim", "reshape", "squeeze")  # which leave the numbers of an array of rank 1 as they are


@dataclass(frozen=True)
class Form:
    """A canonical name, and the order of axes that makes the canonical array, whose axes ``flips`` are reversed."""

    name: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    flips: tuple[int, ...] = ()

    @property
    def statistic(self) -> bool:
        return "running" in self.name.rpartition(".")[2]

    def canonical(self, array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.flip(array.transpose(self.axes), self.flips)).reshape(self.shape)

    def native(self, array: np.ndarray) -> np.ndarray:
        shape = tuple(self.shape[position] for position in np.argsort(self.axes))
        return np.ascontiguousarray(np.flip(array, self.flips).transpose(np.argsort(self.axes))).reshape(shape)


def _equations(jaxpr: core.Jaxpr, origins: dict[Any, int]) -> Iterator[tuple[Any, list[int | None]]]:
    """Every equation that is no call, with the number of the argument that each operand is."""
    for equation in jaxpr.eqns:
        read = [None if isinstance(atom, core.Literal) else origins.get(atom) for atom in equation.invars]
        inner = equation.params.get("jaxpr") or equation.params.get("call_jaxpr")
        inner = getattr(inner, "jaxpr", inner)
        if inner is not None and len(getattr(inner, "invars", ())) == len(read):
            below = {
                variable: origin for variable, origin in zip(inner.invars, read, strict=True) if origin is not None
            }
            yield from _equations(inner, below)
            continue
        name = equation.primitive.name
        plain = name in _PLAIN or (name in _SHAPED and len(getattr(equation.invars[0].aval, "shape", ())) == 1)
        if plain and read[0] is not None:
            origins[equation.outvars[0]] = read[0]
        yield equation, read


def used(function: Callable[..., Any], values: Sequence[Any], xs: Sequence[Any]) -> list[tuple[Any, list[int | None]]]:
    """Every equation of ``function(values, xs)`` that is no call, with the number of the argument of each operand."""
    jaxpr = jax.make_jaxpr(function)(list(values), list(xs)).jaxpr
    return list(_equations(jaxpr, {variable: index for index, variable in enumerate(jaxpr.invars)}))


def forms(
    function: Callable[..., Any], paths: Sequence[Any], values: Sequence[np.ndarray], xs: Sequence[np.ndarray]
) -> list[Form]:
    """Of arrays at ``paths``; kernels and matrices in the order in which ``function(values, xs)`` uses them."""
    axes: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for equation, read in used(function, values, xs):
        name = equation.primitive.name
        if name == "conv_general_dilated" and read[1] is not None and read[1] < len(values):
            spec = tuple(equation.params["dimension_numbers"].rhs_spec)
            dilated = any(step != 1 for step in equation.params["lhs_dilation"])
            # A transposed convolution is [in, out, ...] in PyTorch, where the kernel is flipped.
            order = (spec[1], spec[0], *spec[2:]) if dilated else spec
            axes.setdefault(read[1], (order, tuple(range(2, len(spec))) if dilated else ()))
        if name == "dot_general":
            for side, origin in enumerate(read):
                if origin is not None and origin < len(values) and values[origin].ndim == 2:
                    contracted = tuple(equation.params["dimension_numbers"][0][side])
                    if len(contracted) == 1:
                        axes.setdefault(origin, ((1 - contracted[0], contracted[0]), ()))
    names = [_named(path) for path in paths]
    result = []
    for index, (keys, value) in enumerate(zip(names, values, strict=True)):
        below = {other[-1] for other in names if other[:-1] == keys[:-1]}
        order, flips = axes.get(index, (tuple(range(value.ndim)), ()))
        shape = tuple(value.shape[axis] for axis in order)
        result.append(Form(".".join([*keys[:-1], _leaf(keys[-1], below, value.ndim)]), shape, order, flips))
    return result


def _leaf(leaf: str, below: set[str], rank: int) -> str:
    if {"mean", "var"} <= below or leaf in STATISTICS:
        leaf = AVERAGES.get(leaf, leaf)
    if leaf == "scale" or (leaf in ("gamma", "g") and below & {"beta", "bias", "b", "offset"}):
        return "weight"
    if leaf == "beta" and below & {"gamma", "scale"}:
        return "bias"
    return LEAVES.get(leaf, leaf)


def keys(path: Sequence[Any]) -> list[str]:
    """A leaf's path below its tree: keys of dicts, fields of objects, positions in lists."""
    return [str(getattr(k, "key", getattr(k, "name", getattr(k, "idx", None)))) for k in path[1:]] or ["value"]


def collection(path: Sequence[Any]) -> str:
    """Which of the trees (params, stats) a leaf is in, as files call it."""
    return ("params", "stats")[path[0].idx]


def _parts(path: Sequence[Any]) -> list[str]:
    """`keys`, and the modules in those of Haiku, which are called ``net/~/conv``."""
    return [part for name in keys(path) for part in name.split("/") if part != "~"]


def _named(path: Sequence[Any]) -> list[str]:
    *parents, last = _parts(path)
    average = _EMAS.get(parents[-1]) if parents and last == "average" else None
    return [*parents[:-1], average] if average else [*parents, last]


def is_weight(path: Sequence[Any], leaf: Any) -> bool:
    """Whether a leaf is an array of floating-point numbers that the function computes with, in evaluation too."""
    if not hasattr(leaf, "shape") or not jax.numpy.issubdtype(getattr(leaf, "dtype", int), np.floating):
        return False
    *parents, last = _parts(path)
    return not (last in _RESTART and parents and parents[-1] in _EMAS)


def first_map(function: Callable[..., Any], values: Sequence[Any], xs: Sequence[Any]) -> str | None:
    """The layout that the first convolution of an input itself takes; None if there is none."""
    for equation, read in used(function, values, xs):
        if equation.primitive.name == "conv_general_dilated" and (read[0] or 0) >= len(values):
            return "nchw" if equation.params["dimension_numbers"].lhs_spec[1] == 1 else "nhwc"
    return None
