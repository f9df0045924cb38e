"""The calls that are timed: see `common.protocols.Timed`.

Eager, the functions here are called on the module as they are. Compiled, each is one of the module's state, which is
split from its structure once: `nnx.jit` would walk the module in Python at every call, milliseconds for a deep block.
That is the functional form that Flax's performance guide gives against it.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from common.protocols import Timed
from common.spec import INPUT
from common.spec.params import Arrays
from frameworks.flax import layout as arrays


def _run(module: Any, x: jax.Array, layout: str) -> jax.Array:
    """The output for an array of this layout, in the same: the module's own is NHWC. ``[n, classes]`` stays."""
    return jnp.moveaxis(module(jnp.moveaxis(x, 1, -1)), -1, 1) if layout == "nchw" else module(x)


def _canonical(y: jax.Array, layout: str) -> np.ndarray:
    array = np.asarray(y.astype(jnp.float32) if y.dtype == jnp.bfloat16 else y)
    return array if layout == "nchw" else np.moveaxis(array, -1, 1)


def _timed(
    held: Any,
    changing: nnx.filterlib.Filter,
    function: Callable[..., Any],
    inputs: tuple[jax.Array, ...],
    form: str,
    result: Callable[[Any, Any], Arrays],
) -> Timed:
    """Calls of ``function(held, *inputs)``, which updates the ``changing`` variables of what is held.

    ``result`` makes the arrays of what the function has returned and of what is held.
    """
    graph, initial, fixed = nnx.split(nnx.clone(held), changing, ...)  # a clone: a state is the variables themselves
    state, kept = initial, dict[str, Any]()
    variables = [node for _, node in nnx.iter_graph(held) if isinstance(node, nnx.Variable)]

    @jax.jit
    def run(state: nnx.State, fixed: nnx.State, *inputs: jax.Array) -> tuple[Any, nnx.State]:
        held = nnx.merge(graph, state, fixed)
        return function(held, *inputs), nnx.state(held, changing)

    def eager() -> None:
        kept["returned"] = function(held, *inputs)
        jax.block_until_ready((kept["returned"], [variable.get_value() for variable in variables]))

    def compiled() -> None:
        nonlocal state
        kept["returned"], state = jax.block_until_ready(run(state, fixed, *inputs))

    def restore() -> None:
        nonlocal state
        kept.clear()
        state = initial
        nnx.update(held, initial)

    def planned() -> int | None:
        memory = run.lower(state, fixed, *inputs).compile().memory_analysis()
        return memory and memory.temp_size_in_bytes + memory.output_size_in_bytes

    if form == "eager":
        return Timed(eager, lambda: result(kept["returned"], held), restore)
    return Timed(compiled, lambda: result(kept["returned"], nnx.merge(graph, state, fixed)), restore, planned)


def forward(module: nnx.Module, x: jax.Array, form: str, layout: str) -> Timed:
    """The output in evaluation mode."""
    module.eval()

    def run(module: nnx.Module, x: jax.Array) -> jax.Array:
        return _run(module, x, layout)

    return _timed(module, nnx.Nothing(), run, (x,), form, lambda y, _: {"output": _canonical(y, layout)})


def gradients(module: nnx.Module, x: jax.Array, dy: jax.Array, form: str, layout: str) -> Timed:
    """Forward and backward."""
    module.train()

    def run(module: nnx.Module, x: jax.Array, dy: jax.Array) -> Any:
        def loss(module: nnx.Module, x: jax.Array) -> tuple[jax.Array, jax.Array]:
            y = _run(module, x, layout)
            return (y * dy).sum(), y

        return nnx.grad(loss, argnums=(0, 1), has_aux=True)(module, x)

    def result(returned: Any, _: Any) -> Arrays:
        (gradients, dx), y = returned
        return {"output": _canonical(y, layout), INPUT: _canonical(dx, layout), **arrays.canonical(gradients)}

    return _timed(module, nnx.Not(nnx.Param), run, (x, dy), form, result)


def step(module: nnx.Module, steps: nnx.Optimizer, x: jax.Array, dy: jax.Array, form: str, layout: str) -> Timed:
    """A whole step, without the gradient of the input, but with the output: XLA leaves out what nobody asks for."""
    module.train()

    def run(held: tuple[nnx.Module, nnx.Optimizer], x: jax.Array, dy: jax.Array) -> jax.Array:
        module, steps = held

        def loss(module: nnx.Module) -> tuple[jax.Array, jax.Array]:
            y = _run(module, x, layout)
            return (y * dy).sum(), y

        gradients, y = nnx.grad(loss, has_aux=True)(module)
        steps.update(module, gradients)
        return y

    def result(_: Any, held: tuple[nnx.Module, nnx.Optimizer]) -> Arrays:
        return arrays.canonical(nnx.state(held[0], nnx.Param))

    return _timed((module, steps), nnx.Everything(), run, (x, dy), form, result)
