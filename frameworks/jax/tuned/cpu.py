"""The tuned convolutions where a program has `lax.conv_general_dilated`: as a function in its place, or found there."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

import jax
from jax import lax
from jax.extend import core

from common.layers.values import Padding, Pair
from frameworks.jax.tuned.grouped import grouped_conv
from frameworks.jax.tuned.pointwise import pointwise_conv
from frameworks.jax.tuned.shifts import DIMENSIONS

P = ParamSpec("P")
T = TypeVar("T")


def conv_general_dilated(
    lhs: jax.Array,
    rhs: jax.Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    **options: Any,
) -> jax.Array:
    """`lax.conv_general_dilated`, but for depthwise, grouped and pointwise convolutions of NHWC maps with HWIO kernels.

    Those go to `depthwise_conv`, `grouped_conv` and `pointwise_conv`, unless an option asks for more than they do.
    `flax.nnx.Conv` and `flax.linen.Conv` take it as their ``conv_general_dilated``.
    """
    strides, dilation = tuple(window_strides), tuple(rhs_dilation or (1,) * (lhs.ndim - 2))
    numbers = lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    plain = lhs.ndim == 4 and numbers == lax.conv_dimension_numbers(lhs.shape, rhs.shape, DIMENSIONS)
    plain = plain and set(lhs_dilation or (1,)) == {1} and not {*options.values()} - {None, 1, lhs.dtype}
    if plain and isinstance(padding, str):
        reach = [(k - 1) * d + 1 for k, d in zip(rhs.shape, dilation, strict=False)]
        padding = lax.padtype_to_pads(lhs.shape[1:3], reach, strides, padding)
    stride, pads = cast(Pair, strides), cast(Padding, padding)
    if plain and feature_group_count > 1:
        return grouped_conv(lhs, rhs, feature_group_count, stride, pads, cast(Pair, dilation))
    if plain and rhs.shape[:2] == (1, 1) and not any(map(any, pads)):
        return pointwise_conv(lhs, rhs, stride)
    geometry = (lhs_dilation, rhs_dilation, dimension_numbers, feature_group_count)
    return lax.conv_general_dilated(lhs, rhs, window_strides, padding, *geometry, **options)


def tuned(function: Callable[P, T]) -> Callable[P, T]:
    """The same function, with the tuned forms in the place of `lax.conv_general_dilated` wherever it calls that.

    ``function`` takes positional arguments that are trees of arrays; keyword arguments are static or arrays. It is
    traced, and what was found is run equation by equation: so compile the result, or differentiate it, not
    ``function``. Loops and functions that have derivatives of their own (`lax.scan`, `jax.custom_vjp`,
    `jax.checkpoint`) stay as they are, and what is in them. See "Writing custom Jaxpr interpreters in JAX".
    """

    @functools.wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> T:
        traced = jax.make_jaxpr(functools.partial(function, **options), return_shape=True)  # type: ignore[call-arg]
        closed, shapes = traced(*arguments)
        outputs = _evaluate(closed.jaxpr, closed.consts, jax.tree.leaves(arguments))
        return jax.tree.unflatten(jax.tree.structure(shapes), outputs)

    return run


def _evaluate(jaxpr: core.Jaxpr, consts: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *arguments), strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    for equation in jaxpr.eqns:
        inputs, params = [read(atom) for atom in equation.invars], equation.params
        if equation.primitive is lax.conv_general_dilated_p:
            outputs = [conv_general_dilated(*inputs, **params)]
        elif equation.primitive.name == "jit":
            outputs = _evaluate(params["jaxpr"].jaxpr, params["jaxpr"].consts, inputs)
        else:
            given = {atom: values[atom] for atom in equation.invars if not isinstance(atom, core.Literal)}
            parts = {"constvars": [], "invars": list(given), "outvars": equation.outvars, "eqns": [equation]}
            alone = jaxpr.replace(**parts, debug_info=jaxpr.debug_info.with_unknown_names())
            outputs = core.jaxpr_as_fun(core.ClosedJaxpr(alone, ()))(*given.values())
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]
