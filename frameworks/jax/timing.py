"""The calls that are timed: see `common.protocols.Timed`. Everything is a function of arrays, compiled or not."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Sharding

from common.oracle.optimisers import SGD
from common.protocols import Timed
from common.spec import INPUT
from common.spec.params import Arrays
from frameworks.jax import layout as arrays
from frameworks.jax import optimisers

Apply = Callable[..., tuple[jax.Array, Any]]
Native = tuple[Apply, Any, Any]


def _laid(apply: Apply, layout: str) -> Apply:
    """The block on arrays of this layout; the block itself is NHWC. ``[n, classes]`` stays as it is."""

    def nchw(params: Any, stats: Any, x: jax.Array, **options: bool) -> tuple[jax.Array, Any]:
        y, stats = apply(params, stats, jnp.moveaxis(x, 1, -1), **options)
        return jnp.moveaxis(y, -1, 1), stats

    return nchw if layout == "nchw" else apply


def _canonical(y: jax.Array, layout: str) -> np.ndarray:
    array = np.asarray(y.astype(jnp.float32) if y.dtype == jnp.bfloat16 else y)
    return array if layout == "nchw" else np.moveaxis(array, -1, 1)


def _planned(run: Any, *arguments: Any) -> int | None:
    """Bytes of temporaries and outputs that XLA plans for a compiled function; None if it is not compiled."""
    memory = run.lower(*arguments).compile().memory_analysis() if isinstance(run, jax.stages.Wrapped) else None
    return memory and memory.temp_size_in_bytes + memory.output_size_in_bytes


def _prepared(function: Callable[..., Any], form: str) -> Callable[..., Any]:
    return function if form == "eager" else jax.jit(function)


def forward(native: Native, x: jax.Array, form: str, layout: str) -> Timed:
    """The output in evaluation mode."""
    (apply, params, stats), kept = native, dict[str, jax.Array]()
    apply = _laid(apply, layout)
    run = _prepared(lambda params, stats, x: apply(params, stats, x)[0], form)

    def call() -> None:
        kept["output"] = run(params, stats, x).block_until_ready()

    def result() -> Arrays:
        return {"output": _canonical(kept["output"], layout)}

    return Timed(call, result, kept.clear, lambda: _planned(run, params, stats, x))


def gradients(
    native: Native, one_pass: Callable[..., Any], x: jax.Array, dy: jax.Array, form: str, layout: str
) -> Timed:
    """Forward and backward: ``one_pass(apply, params, stats, x, dy)`` is (output, gradients, dx, statistics)."""
    (apply, params, initial), kept = native, dict[str, Any]()
    apply, stats = _laid(apply, layout), initial
    run = _prepared(lambda *arguments: one_pass(apply, *arguments), form)

    def call() -> None:
        nonlocal stats
        kept["output"], kept["gradients"], kept[INPUT], stats = jax.block_until_ready(run(params, stats, x, dy))

    def result() -> Arrays:
        maps = {name: _canonical(kept[name], layout) for name in ("output", INPUT)}
        return maps | dict(arrays.leaves(kept["gradients"]))

    def restore() -> None:
        nonlocal stats
        kept.clear()
        stats = initial

    return Timed(call, result, restore, lambda: _planned(run, params, stats, x, dy))


def step(native: Native, x: jax.Array, dy: jax.Array, form: str, layout: str, place: Sharding) -> Timed:
    """A whole step in one function, without the gradient of the input.

    It returns the output too, which a step needs to report its loss. XLA leaves out what is not returned: for a single
    convolution that would be the whole forward pass.
    """
    apply, optimiser = _laid(native[0], layout), optimisers.native(SGD())
    # On the device from the start: if an array moved there after the first step, the second would compile again.
    state = initial = *native[1:], jax.device_put(optimiser.init(native[1]), place)

    def train(params: Any, stats: Any, moments: Any, x: jax.Array, dy: jax.Array) -> tuple[Any, jax.Array]:
        y, pull, stats = jax.vjp(lambda params: apply(params, stats, x, train=True), params, has_aux=True)
        (gradients,) = pull(dy)
        updates, moments = optimiser.update(gradients, moments, params)
        return (optax.apply_updates(params, updates), stats, moments), y

    run = _prepared(train, form)

    def call() -> None:
        nonlocal state
        state, _ = jax.block_until_ready(run(*state, x, dy))

    def restore() -> None:
        nonlocal state
        state = initial

    return Timed(call, lambda: dict(arrays.leaves(state[0])), restore, lambda: _planned(run, *state, x, dy))
