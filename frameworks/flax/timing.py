"""The calls that are timed: see `common.protocols.Timed`.

In eager form the functions here are called on the module. In compiled form they are functions of the module's state,
which is split from its structure once. `nnx.jit` would walk the module in Python at every call, milliseconds for a deep
block; against that, Flax's performance guide recommends this functional form.
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
    """The output in the layout of the input; the module itself is NHWC. ``[n, classes]`` stays as it is."""
    return jnp.moveaxis(module(jnp.moveaxis(x, 1, -1)), -1, 1) if layout == "nchw" else module(x)


def _canonical(y: jax.Array, layout: str) -> np.ndarray:
    array = np.asarray(y.astype(jnp.float32) if y.dtype == jnp.bfloat16 else y)
    return array if layout == "nchw" else np.moveaxis(array, -1, 1)


def _timed(
    objects: Any,
    changing: nnx.filterlib.Filter,
    function: Callable[..., Any],
    inputs: tuple[jax.Array, ...],
    form: str,
    result: Callable[[Any, Any], Arrays],
) -> Timed:
    """Calls of ``function(objects, *inputs)``, which updates the ``changing`` variables of ``objects``.

    ``objects`` is a module, or a module and its optimiser. ``result(returned, objects)`` makes the arrays.
    """
    graph, initial, fixed = nnx.split(nnx.clone(objects), changing, ...)  # a clone, as a state shares its variables
    state, kept = initial, dict[str, Any]()
    variables = [node for _, node in nnx.iter_graph(objects) if isinstance(node, nnx.Variable)]

    @jax.jit
    def run(state: nnx.State, fixed: nnx.State, *inputs: jax.Array) -> tuple[Any, nnx.State]:
        objects = nnx.merge(graph, state, fixed)
        return function(objects, *inputs), nnx.state(objects, changing)

    def eager() -> None:
        kept["returned"] = function(objects, *inputs)
        jax.block_until_ready((kept["returned"], [variable.get_value() for variable in variables]))

    def compiled() -> None:
        nonlocal state
        kept["returned"], state = jax.block_until_ready(run(state, fixed, *inputs))

    def restore() -> None:
        nonlocal state
        kept.clear()
        state = initial
        nnx.update(objects, initial)

    def planned() -> int | None:
        memory = run.lower(state, fixed, *inputs).compile().memory_analysis()
        return memory and memory.temp_size_in_bytes + memory.output_size_in_bytes

    if form == "eager":
        return Timed(eager, lambda: result(kept["returned"], objects), restore)
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
    """A whole step, without the gradient of the input, but with the output: XLA leaves out what is not returned."""
    module.train()

    def run(objects: tuple[nnx.Module, nnx.Optimizer], x: jax.Array, dy: jax.Array) -> jax.Array:
        module, steps = objects

        def loss(module: nnx.Module) -> tuple[jax.Array, jax.Array]:
            y = _run(module, x, layout)
            return (y * dy).sum(), y

        gradients, y = nnx.grad(loss, has_aux=True)(module)
        steps.update(module, gradients)
        return y

    def result(_: Any, objects: tuple[nnx.Module, nnx.Optimizer]) -> Arrays:
        return arrays.canonical(nnx.state(objects[0], nnx.Param))

    return _timed((module, steps), nnx.Everything(), run, (x, dy), form, result)
