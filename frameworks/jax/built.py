"""A block of JAX: plain functions over pytrees, compiled."""

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax.sharding import Sharding

from common.layers import Dropout
from common.oracle.optimisers import Optimiser
from common.protocols import Timed, as_far_as_it_comes
from common.spec import INPUT, BlockSpec
from common.spec.params import Arrays, fits
from frameworks.jax import layout, optimisers, timing
from frameworks.jax.blocks import BLOCKS
from frameworks.jax.graph import graph
from frameworks.jax.tracing import tapped


class Native(NamedTuple):
    """``y, new_stats = apply(params, stats, x, train=False)``, with x NHWC; ``params`` is what is differentiated."""

    apply: Callable[..., tuple[jax.Array, Any]]
    params: Any
    stats: Any


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself."""
    return function


def to_nchw(y: jax.Array) -> np.ndarray:
    """A copy in NCHW of ``[n, h, w, c]``, and of ``[n, classes]`` as it is."""
    return np.moveaxis(np.asarray(y), -1, 1).copy()


def made(spec: BlockSpec) -> Callable[..., tuple[jax.Array, Any]]:
    """The function of a spec, before it has its arrays: see `Native`."""
    if spec.family not in BLOCKS:
        return functools.partial(graph, nodes=spec.nodes)
    function = BLOCKS[spec.family]
    # What the arrays' shapes already say (channels, bias, depth, ...) is no argument of a plain function.
    taken = inspect.signature(function).parameters
    return functools.partial(function, **{name: value for name, value in spec.arguments.items() if name in taken})


class Built:
    """A block as a pure function and its two pytrees."""

    def __init__(
        self, spec: BlockSpec, native: Native, dtype: str, place: Sharding, form: Callable[..., Any] = as_it_is
    ) -> None:
        """``form`` is what makes a tuned function of one: the reference is left as it is."""
        self._spec = spec
        self._form, self._reference = form, native.apply
        self.native = native = native._replace(apply=form(native.apply))
        self.dtype = dtype
        self.place = place
        (device,) = place.device_set
        self.device = device.platform
        self._calls = itertools.count()
        self._chance = any(isinstance(node.layer, Dropout) and node.layer.rate for node in spec.nodes)
        self._compiled = jax.jit(native.apply)
        self._train = jax.jit(functools.partial(_step, native.apply))

    def _array(self, x: np.ndarray, layout: str = "nhwc") -> jax.Array:
        x = x if layout == "nchw" else np.moveaxis(x, 1, -1)
        return jax.device_put(x.astype(self.dtype, order="C"), self.place)

    def load(self, params: Arrays) -> None:
        self.native = Native(self.native.apply, *layout.write(fits(self._spec, params), self.dtype, self.place))

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._spec.taken(x=x)
        y, _ = self._compiled(self.native.params, self.native.stats, self._array(x))
        return to_nchw(y)

    def params(self) -> Arrays:
        return dict([*layout.leaves(self.native.params), *layout.leaves(self.native.stats)])

    def trainable(self) -> frozenset[str]:
        return frozenset(name for name, _ in layout.leaves(self.native.params))

    def _pass(self, x: np.ndarray, dy: np.ndarray) -> tuple[jax.Array, Any, jax.Array]:
        """One training pass: output and gradients; the new statistics are kept."""
        apply, params, stats = self.native
        options = {"key": jax.random.key(next(self._calls))} if self._chance else {}
        y, gradients, dx, stats = self._train(params, stats, self._array(x), self._array(dy), **options)
        self.native = Native(apply, params, stats)
        return y, gradients, dx

    def forward_train(self, x: np.ndarray) -> np.ndarray:
        # Without its backward pass it would be another function, which takes longer to compile than that does to run.
        return to_nchw(self._pass(x, np.zeros(self._spec.taken(x=x)))[0])

    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        self._spec.taken(x=x, dy=dy)
        _, gradients, dx = self._pass(x, dy)
        return {INPUT: to_nchw(dx), **dict(layout.leaves(gradients))}

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        transformation, states = optimisers.native(optimiser), []
        # Compiled: operation by operation, every shape of an array would be compiled for itself. And on the device from
        # the start: an array that moves there between two steps compiles the second one again.
        state = jax.device_put(jax.jit(transformation.init)(self.native.params), self.place)

        @jax.jit
        def renew(params: Any, gradients: Any, state: optax.OptState) -> tuple[Any, optax.OptState]:
            updates, state = transformation.update(gradients, state, params)
            return optax.apply_updates(params, updates), state

        for x, dy in batches:
            _, gradients, _ = self._pass(x, dy)
            params, state = renew(self.native.params, gradients, state)
            self.native = self.native._replace(params=params)
            states.append(self.params())
        return states

    def fit(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> np.ndarray:
        (apply, params, stats), losses = self.native, []
        state = jax.device_put(optimisers.native(optimiser).init(params), self.place)
        for x, labels in batches:
            arrays = params, stats, state, self._array(x), jax.device_put(labels.astype(np.int32), self.place)
            params, stats, state, loss = _fit_step(apply, optimiser, *arrays)
            losses.append(loss)
        self.native = Native(apply, params, stats)
        return np.array(jax.device_get(losses))

    def trace(self, x: np.ndarray, dy: np.ndarray | None = None) -> tuple[Arrays, Arrays]:
        apply, params, stats = self._reference, *self.native[1:]
        output, form = self._spec.nodes[-1].name, self._form

        seen: dict[str, jax.Array] = {}

        def run(probes: Arrays, params: Any, x: jax.Array) -> tuple[jax.Array, Any]:
            """What is added to an output has that output's gradient."""
            seen.clear()

            def tap(name: str, y: jax.Array) -> jax.Array:
                seen[name] = y + probes[name] if name in probes else y
                return seen[name]

            options = {"train": True} if dy is not None else {}
            if self._spec.family not in BLOCKS:
                return apply(params, stats, x, tap=tap, **options)[0], dict(seen)
            with tapped(params, tap):
                y, _ = apply(params, stats, x, **options)
            return tap(output, y) if output not in seen else y, dict(seen)

        def back(probes: Arrays, params: Any, x: jax.Array, dy: jax.Array) -> tuple[Any, Any]:
            _, pull, outputs = jax.vjp(lambda probes: form(run)(probes, params, x), probes, has_aux=True)
            return outputs, *pull(dy)

        array, cotangents = self._array(x), {}
        try:
            if dy is None:
                _, outputs = jax.jit(form(run))({}, params, array)
            else:
                probes = jax.tree.map(lambda y: np.zeros(y.shape, y.dtype), jax.eval_shape(run, {}, params, array)[1])
                outputs, cotangents = jax.jit(back)(probes, params, array, self._array(dy))
        except Exception:
            with as_far_as_it_comes(seen):  # operation by operation: what was seen before are arrays
                run({}, params, array)
            outputs = seen
        outputs = {name: to_nchw(y) for name, y in outputs.items()}
        return outputs, {name: to_nchw(cotangent) for name, cotangent in cotangents.items()}

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        array, native = self._array(x, layout), self.native
        if mode == "forward":
            return timing.forward(native, array, form, layout)
        assert dy is not None
        cotangent = self._array(dy, layout)
        if mode == "gradients":
            return timing.gradients(native, _step, array, cotangent, form, layout)
        return timing.step(native, array, cotangent, form, layout, self.place)


def _step(
    apply: Callable[..., Any], params: Any, stats: Any, x: jax.Array, dy: jax.Array, **options: jax.Array
) -> tuple[jax.Array, Any, Any, Any]:
    """Output, gradients of ``sum(output * dy)`` by parameters and by input, and new statistics.

    The ``key`` of a block with dropout is among the ``options``.
    """
    y, pull, stats = jax.vjp(lambda params, x: apply(params, stats, x, train=True, **options), params, x, has_aux=True)
    gradients, dx = pull(dy)
    return y, gradients, dx, stats


@functools.partial(jax.jit, static_argnames=("apply", "optimiser"))
def _fit_step(
    apply: Callable[..., Any],
    optimiser: Optimiser,
    params: Any,
    stats: Any,
    state: optax.OptState,
    x: jax.Array,
    labels: jax.Array,
) -> tuple[Any, Any, optax.OptState, jax.Array]:
    """New parameters, statistics and optimiser state, and the loss before the step; compiled once a block."""

    def loss(params: Any) -> tuple[jax.Array, Any]:
        logits, new = apply(params, stats, x, train=True)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), new

    (value, new), gradients = jax.value_and_grad(loss, has_aux=True)(params)
    updates, state = optimisers.native(optimiser).update(gradients, state, params)
    return optax.apply_updates(params, updates), new, state, value
