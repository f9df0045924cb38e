"""A block of Flax: an `nnx.Module` and the compiled functions of it."""

import functools
from collections.abc import Sequence

import jax
import numpy as np
import optax
from flax import nnx
from jax.sharding import Sharding

from common.oracle.optimisers import SGD, Optimiser
from common.protocols import Timed, as_far_as_it_comes
from common.spec import INPUT, BlockSpec
from common.spec.params import Arrays, fits
from frameworks.flax import layout, optimisers, timing
from frameworks.flax.blocks import BLOCKS
from frameworks.flax.graph import Graph
from frameworks.flax.ready_made import ready_made
from frameworks.flax.tracing import watch


def made(spec: BlockSpec, variant: str, strict: bool) -> nnx.Module:
    """The module of a variant, of shapes only: no initialiser runs, for every array is replaced."""
    make = ready_made(spec) if variant == "ready-made" else functools.partial(_reference, spec)
    module = nnx.eval_shape(lambda: make(nnx.Rngs(params=0, dropout=0)))
    for layer in layout.modules(module).values():
        if isinstance(layer, nnx.BatchNorm) and strict and variant != "ready-made":
            layer.use_fast_variance = False  # E[x²] - E[x]² cancels where the mean is large
    return module


def _reference(spec: BlockSpec, rngs: nnx.Rngs) -> nnx.Module:
    return BLOCKS[spec.family](**spec.arguments, rngs=rngs) if spec.family in BLOCKS else Graph(spec, rngs=rngs)


def filled(module: nnx.Module, params: Arrays, dtype: str, place: Sharding) -> nnx.Module:
    """The module of shapes with its arrays, and a seed for each dropout."""
    # Layers compute in the dtype of their arrays and input; `param_dtype` would leave BatchNorm's statistics float32.
    state = nnx.state(module, layout.ARRAYS)
    nnx.update(module, jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, dtype, sharding=place), state))
    layout.write(module, params)
    for number, layer in enumerate(layout.modules(module).values()):
        if isinstance(layer, nnx.Dropout):
            # The stream of random numbers is still a shape. Its name must be that in `made`: another is ignored
            # silently. One seed for all of them would give layers of one shape the same masks.
            nnx.reseed(layer, dropout=number)
    nnx.update(module, jax.device_put(nnx.state(module), place))  # the streams too, or a second pass compiles again
    return module


class Built:
    """A block as an ``nnx.Module``, and each of its two modes as one compiled function of state and input."""

    def __init__(self, spec: BlockSpec, module: nnx.Module, dtype: str, place: Sharding) -> None:
        self._spec = spec
        self.native = module
        self.dtype = dtype
        self.place = place
        (device,) = place.device_set
        self.device = device.platform
        # The structures, taken in either mode, are constant: only the arrays of `native` are read, whatever mode that
        # is in later, and each function compiles once for an input shape.
        module.train()
        self._training = training = nnx.graphdef(module)
        module.eval()
        self._evaluation = evaluation = nnx.graphdef(module)
        self._apply = jax.jit(lambda state, x: nnx.merge(evaluation, state)(x))

        @jax.jit
        def train(
            params: nnx.State, rest: nnx.State, x: jax.Array, dy: jax.Array
        ) -> tuple[jax.Array, nnx.State, jax.Array, nnx.State]:
            def run(params: nnx.State, x: jax.Array) -> tuple[jax.Array, nnx.State]:
                module = nnx.merge(training, params, rest, copy=True)  # nnx forbids to change what is from outside
                y = module(x)
                return y, nnx.state(module, nnx.Not(nnx.Param))

            y, pull, rest = jax.vjp(run, params, x, has_aux=True)
            return y, *pull(dy), rest

        self._train = train

    def _input(self, x: np.ndarray, layout: str = "nhwc") -> jax.Array:
        x = x if layout == "nchw" else np.moveaxis(x, 1, -1)
        return jax.device_put(x.astype(self.dtype, order="C"), self.place)

    def load(self, params: Arrays) -> None:
        layout.write(self.native, fits(self._spec, params))

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._spec.taken(x=x)
        return layout.activation(self._apply(nnx.state(self.native), self._input(x)))

    def params(self) -> Arrays:
        return layout.read(self.native)

    def trainable(self) -> frozenset[str]:
        return layout.names(self.native, nnx.Param)

    def _pass(self, x: np.ndarray, dy: np.ndarray) -> tuple[jax.Array, nnx.State, jax.Array]:
        """The output and the gradients of the parameters and the input; moves statistics and random streams."""
        states = nnx.state(self.native, nnx.Param, ...)
        y, gradients, dx, rest = self._train(*states, self._input(x), self._input(dy))
        nnx.update(self.native, rest)
        return y, gradients, dx

    def forward_train(self, x: np.ndarray) -> np.ndarray:
        # Without its backward pass it would be another function, which takes longer to compile than that does to run.
        y, _, _ = self._pass(x, np.zeros(self._spec.taken(x=x)))
        return layout.activation(y)

    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        self._spec.taken(x=x, dy=dy)
        _, gradients, dx = self._pass(x, dy)
        return {INPUT: layout.activation(dx)} | layout.canonical(gradients)

    def _steps(self, optimiser: Optimiser) -> nnx.Optimizer:
        steps = optimisers.native(optimiser, self.native)
        # On the device from the start: an array that moves there between two steps compiles the second one again.
        nnx.update(steps, jax.device_put(nnx.state(steps), self.place))
        return steps

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        steps, states = self._steps(optimiser), []

        @nnx.jit
        def update(steps: nnx.Optimizer, module: nnx.Module, gradients: nnx.State) -> None:
            steps.update(module, gradients)

        for x, dy in batches:
            _, gradients, _ = self._pass(x, dy)
            update(steps, self.native, gradients)
            states.append(self.params())
        return states

    def fit(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> np.ndarray:
        steps, losses = self._steps(optimiser), []
        self.native.train()
        for x, labels in batches:
            device_labels = jax.device_put(labels.astype(np.int32), self.place)
            losses.append(_fit_step(self.native, steps, self._input(x), device_labels))
        return np.array(jax.device_get(losses))

    def trace(self, x: np.ndarray, dy: np.ndarray | None = None) -> tuple[Arrays, Arrays]:
        shapes = self._spec.shapes(x.shape)
        # A zero added to a node's output: its gradient is the output's.
        probes = {node.name: self._input(np.zeros(shapes[node.name])) for node in self._spec.nodes}
        structure = self._evaluation if dy is None else self._training
        last = self._spec.nodes[-1].name

        seen: dict[str, jax.Array] = {}

        def run(state: nnx.State, x: jax.Array, probes: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
            seen.clear()

            def keep(name: str, y: jax.Array) -> jax.Array:
                seen[name] = y + probes[name] if y.shape == probes[name].shape else y
                return seen[name]

            module = nnx.merge(structure, state, copy=True)
            watch(module, frozenset(probes) - {last}, keep)
            return keep(last, module(x)), dict(seen)

        def back(
            state: nnx.State, x: jax.Array, probes: dict[str, jax.Array], dy: jax.Array
        ) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
            _, pull, outputs = jax.vjp(lambda probes: run(state, x, probes), probes, has_aux=True)
            return outputs, *pull(dy)

        # Compiled, though it is run once: operation by operation, each would be compiled for itself.
        arguments, cotangents = (nnx.state(self.native), self._input(x), probes), {}
        try:
            if dy is None:
                _, outputs = jax.jit(run)(*arguments)
            else:
                outputs, cotangents = jax.jit(back)(*arguments, self._input(dy))
        except Exception:
            with as_far_as_it_comes(seen):  # operation by operation: what was seen before are arrays
                run(*arguments)
            outputs = seen
        outputs = {name: layout.activation(y) for name, y in outputs.items()}
        right = [name for name, y in outputs.items() if y.shape == shapes[name] and name in cotangents]
        return outputs, {name: layout.activation(cotangents[name]) for name in right}

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        array = self._input(x, layout)
        if mode == "forward":
            return timing.forward(self.native, array, form, layout)
        assert dy is not None
        cotangent = self._input(dy, layout)
        if mode == "gradients":
            return timing.gradients(self.native, array, cotangent, form, layout)
        return timing.step(self.native, self._steps(SGD()), array, cotangent, form, layout)


@nnx.jit
def _fit_step(module: nnx.Module, steps: nnx.Optimizer, x: jax.Array, labels: jax.Array) -> jax.Array:
    """The loss before a step, which moves parameters, statistics and moments; compiled once a block."""

    def loss(module: nnx.Module) -> jax.Array:
        return optax.softmax_cross_entropy_with_integer_labels(module(x), labels).mean()  # type: ignore[operator]

    value, gradients = nnx.value_and_grad(loss)(module)
    steps.update(module, gradients)
    return value
