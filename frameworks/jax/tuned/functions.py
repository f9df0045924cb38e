"""The tuned convolutions where a program has `lax.conv_general_dilated`: found there, or called in its place."""

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import jax
from jax import lax
from jax.core import Trace
from jax.extend import core
from jax.extend import linear_util as lu

from . import cpu
from .convolution import inherit, tuned_conv_p, xla_conv_p
from .shifts import DIMENSIONS, Padding, Pair

P = ParamSpec("P")
T = TypeVar("T")

# Inside, `jax.jit` takes nothing from its cache that it has compiled outside.
_inside = jax.make_user_context(False)


class _Tuning(Trace):
    """Whatever a function does is done by the trace around it, but with other convolutions."""

    __slots__ = ("outer",)

    def __init__(self, outer: Any) -> None:
        super().__init__()
        self.outer = outer
        self.requires_low = outer.requires_low
        # It is no level of its own: Flax's modules of the level around it may be changed in it.
        self._weakref = outer._weakref

    def stage_value(self, val: Any) -> Any:
        return self.outer.stage_value(val)

    def process_primitive(self, primitive: Any, arguments: Any, params: Any, /) -> Any:
        primitive, params = _operation(primitive, map(jax.typeof, arguments), params)
        with core.set_current_trace(self.outer):
            return primitive.bind(*arguments, **params)

    def _call(self, primitive: Any, *functions_and_arguments: Any, **params: Any) -> Any:
        *functions, arguments = functions_and_arguments
        with core.set_current_trace(self.outer):
            inner = (_replaced(f) if isinstance(f, lu.WrappedFun) else tuned(f) for f in functions)
            return primitive.bind(*arguments, subfuns=tuple(inner), **params)

    process_custom_jvp_call = process_custom_vjp_call = process_shard_map = _call

    def process_call(self, primitive: Any, function: Any, arguments: Any, params: Any, /) -> Any:
        return self._call(primitive, function, arguments, **params)


_JAXPRS: weakref.WeakKeyDictionary[core.Jaxpr, core.Jaxpr | None] = weakref.WeakKeyDictionary()


def _replaced(value: Any) -> Any:
    """A parameter of an operation: itself, or the same with tuned convolutions, in programs and functions alike."""
    if isinstance(value, core.ClosedJaxpr):
        inner = _replaced(value.jaxpr)
        return value if inner is value.jaxpr else core.ClosedJaxpr(inner, value.consts)
    if isinstance(value, core.Jaxpr):
        if value not in _JAXPRS:
            equations = [_equation(equation) for equation in value.eqns]
            changed = any(new is not old for new, old in zip(equations, value.eqns, strict=True))
            _JAXPRS[value] = value.replace(eqns=equations) if changed else None
        return _JAXPRS[value] or value
    if isinstance(value, tuple):
        items = tuple(map(_replaced, value))
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return getattr(value, "_make", tuple)(items) if changed else value
    if isinstance(value, lu.WrappedFun):
        # It may return the program of a derivative.
        return lu.wrap_init(lambda *a: _replaced(tuned(value.call_wrapped)(*a)), debug_info=value.debug_info)
    return value


def _parameters(params: dict[str, Any]) -> dict[str, Any]:
    """The same, with tuned convolutions; a policy of `jax.checkpoint` is asked of them as of XLA's."""
    params = {name: _replaced(value) for name, value in params.items()}
    if policy := params.get("policy"):
        params["policy"] = lambda p, *a, **o: policy(xla_conv_p if p is tuned_conv_p else p, *a, **o)
    return params


def _operation(primitive: Any, types: Iterable[Any], params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What is done in the place of a primitive with arrays of those types: the same objects if that is the same."""
    if primitive is xla_conv_p:
        lhs, rhs = types
        return (tuned_conv_p if cpu.chosen(lhs, rhs, params).form else primitive), params
    replaced = _parameters(params)
    return primitive, params if all(replaced[name] is value for name, value in params.items()) else replaced


def _equation(equation: core.JaxprEqn) -> core.JaxprEqn:
    primitive, params = _operation(equation.primitive, (atom.aval for atom in equation.invars), equation.params)
    same = primitive is equation.primitive and params is equation.params
    return equation if same else equation.replace(primitive=primitive, params=params)


def tuned(function: Callable[P, T]) -> Callable[P, T]:
    """The same function, with the tuned forms in the place of `lax.conv_general_dilated` wherever that is called.

    It takes and returns what ``function`` does. Convolutions are replaced in loops, branches, `jax.checkpoint`,
    functions with derivatives of their own, `jax.shard_map` and inner `jax.jit`, which keep their shardings and
    donations; `explain` lists them. Differentiate the result, forward or backward, or tune what differentiates:
    derivatives have forms of their own. For a device that is no CPU the program is what it was.
    """

    @functools.wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> T:
        with core.take_current_trace() as outer:
            trace = outer if isinstance(outer, _Tuning) else _Tuning(outer)
            with _inside(True), core.set_current_trace(trace):
                return function(*arguments, **options)

    return run


inherit(tuned)
conv_general_dilated = tuned(lax.conv_general_dilated)


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
) -> jax.Array:
    """``[n, h, w, c] -> [n, h', w', c * multiplier]`` with a kernel ``[kh, kw, 1, c * multiplier]``.

    Equal to ``lax.conv_general_dilated(..., feature_group_count=c)`` but for rounding, as are its derivatives. On a CPU
    half precision is added up in float32. ``padding`` is ``((top, bottom), (left, right))``, or what else that takes.
    """
    return grouped_conv(x, kernel, x.shape[-1], stride, padding, dilation)


def grouped_conv(
    x: jax.Array,
    kernel: jax.Array,
    groups: int,
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
) -> jax.Array:
    """``[n, h, w, c_in] -> [n, h', w', c_out]`` with a kernel ``[kh, kw, c_in / groups, c_out]``, as `depthwise_conv`.

    With one group it is a standard convolution.
    """
    return conv_general_dilated(
        x, kernel, stride, padding, None, dilation, dimension_numbers=DIMENSIONS, feature_group_count=groups
    )


def pointwise_conv(x: jax.Array, kernel: jax.Array, stride: Pair = (1, 1)) -> jax.Array:
    """``[n, h, w, c_in] -> [n, h', w', c_out]`` with a kernel ``[1, 1, c_in, c_out]``; see `depthwise_conv`."""
    return grouped_conv(x, kernel, 1, stride)
