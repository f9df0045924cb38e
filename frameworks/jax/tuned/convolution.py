"""A primitive that is `lax.conv_general_dilated_p` in all but its code for a CPU, which is the chosen form's.

Types, sharding, derivatives forward and backward, and batching are XLA's own rules, in which convolutions are tuned
again: so that each derivative, of any order, has its own form. For another device it becomes XLA's convolution when it
is lowered, and so does what is exported for one. See "JAX primitives" in JAX's documentation.
"""

import functools
from typing import Any

import jax
from jax import lax
from jax.extend import core
from jax.interpreters import ad, batching, mlir

from . import cpu

xla_conv_p = lax.conv_general_dilated_p
tuned_conv_p = core.Primitive("tuned_conv")
tuned_conv_p.def_effectful_abstract_eval(xla_conv_p.abstract_eval)


@functools.cache
def _compiled(params: tuple[tuple[str, Any], ...]) -> Any:
    return jax.jit(functools.partial(tuned_conv_p.bind, **dict(params)))


@tuned_conv_p.def_impl
def _run(lhs: jax.Array, rhs: jax.Array, **params: Any) -> jax.Array:
    """One that is called outside of `jax.jit`."""
    return _compiled(tuple(params.items()))(lhs, rhs)


@functools.cache
def _shared(params: tuple[tuple[str, Any], ...]) -> Any:
    """Traced once for all convolutions of the same types and parameters, which share a function of a program."""

    def tuned_conv(lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        return cpu.computed(lhs, rhs, **dict(params))

    return jax.jit(tuned_conv)


def _on_cpu(lhs: jax.Array, rhs: jax.Array, **params: Any) -> jax.Array:
    return _shared(tuple(params.items()))(lhs, rhs)


mlir.register_lowering(tuned_conv_p, mlir.lower_fun(xla_conv_p.bind, multiple_results=False))
mlir.register_lowering(tuned_conv_p, mlir.lower_fun(_on_cpu, multiple_results=False), platform="cpu")


def inherit(tuned: Any) -> None:
    """Gives the primitive the rules of XLA's convolution, each a function that ``tuned`` makes tuned."""
    for rules in (ad.primitive_jvps, ad.primitive_transposes, batching.fancy_primitive_batchers):
        rules[tuned_conv_p] = tuned(rules[xla_conv_p])
