"""Any ``nnx.Module`` or ``linen.Module`` as `common.port.comparing` runs it."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from flax import linen, nnx

from common.port.given import empty, mixed, real
from common.port.live import DROPOUT_OFF, PRECISION, Cotangents, Nature, Observed, canonical, outputs, permuted
from common.spec.params import Arrays
from frameworks.flax.live_linen import Linen
from frameworks.flax.live_nnx import Nnx
from frameworks.jax.steps import steps
from frameworks.jax.widened import widened

LAYOUTS = ("nhwc", "nchw")


class Live:
    """A module in float64 with dropout off: ``run(params, rest, xs) -> ys, (rest, seen)`` in either mode, compiled."""

    def __init__(
        self,
        native: nnx.Module | linen.Module | tuple[linen.Module, Any],
        shapes: Sequence[tuple[int, ...]],
        alone: bool,
        layout: str,
    ) -> None:
        self._layout = layout
        xs = [permuted(empty(shape), layout) for shape in shapes]
        module, variables = native if isinstance(native, tuple) else (native, {})
        self._module = Linen(module, xs, variables) if isinstance(module, linen.Module) else Nnx(module)
        self.notes: list[str] = []
        self._orders: dict[bool, tuple[list[str], list[str]]] = {}
        self._passes = 0

        def run(params: Any, rest: Any, xs: Any, passes: Any, train: bool) -> Any:
            y, rest, seen = self._module.run(params, rest, xs, passes, train)
            ys = outputs(y, jax.Array)
            # A jitted function returns dicts sorted by name: the order of execution is kept apart.
            self._orders[train] = list(ys), list(seen)
            return ys, (rest, seen)

        def train(params: Any, rest: Any, xs: Any, passes: Any, dys: Any) -> Any:
            floats = [x for x in xs if real(x)]
            ys, pull, aux = jax.vjp(
                lambda p, fs: run(p, rest, mixed(xs, fs), passes, True), params, floats, has_aux=True
            )
            cast = {name: jax.numpy.asarray(dys[name], y.dtype) for name, y in ys.items()}
            return ys, aux, pull(cast)

        self._run, self._train = run, jax.jit(train)
        self._evaluate = jax.jit(lambda params, rest, xs, passes: run(params, rest, xs, passes, False))
        self._shapes: dict[str, tuple[int, ...]] | None = None  # of the outputs in training
        forms = self._module.forms.values()

        def evaluate(values: Any, xs: Any) -> Any:
            params, rest = self._module.filled(dict(zip(self._module.forms, values, strict=True)))
            return run(params, rest, xs, jax.numpy.asarray(0, "uint32"), False)[0]

        with widened():
            zeros, names = [np.zeros(form.shape) for form in forms], [form.name for form in forms]
            between, self._calls = steps(evaluate, names, zeros, xs, layout == "nhwc")
        shapes_ = {form.name: form.canonical_shape for form in forms}
        last = layout == "nhwc"
        kept = tuple(self._module.constants)
        module, own = self._module, self._module.settings | between
        self.nature = Nature(
            "flax", PRECISION, shapes_, last, module.moded, module.constants, module.training, kept, own
        )

    def arrays(self, state: Arrays | None = None) -> Arrays:
        forms = self._module.forms
        held = self._module.held() if state is None else state
        names = {name.replace("/", "."): form.name for name, form in forms.items()}  # as files are read
        shapes = {form.name: form.shape for form in forms.values()}
        found = canonical(held, names, shapes, self.nature.kept)
        return {form.name: form.canonical(found[form.name]) for form in forms.values()}

    def native(self, arrays: Arrays) -> Arrays:
        own = {name: form.native(arrays[form.name]) for name, form in self._module.forms.items()}
        return self._module.stored(own) | self._module.constants

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        self._passes += 1
        with widened():
            native = {own: form.native(arrays[form.name]) for own, form in self._module.forms.items()}
            params, rest = self._module.filled(native)
            own_xs = [permuted(x, self._layout) for x in xs]
            passes = jax.numpy.asarray(self._passes, "uint32")
            gradients: Arrays = {}
            inputs: list[np.ndarray] = []
            if dys is None:
                ys, (rest, seen) = self._evaluate(params, rest, own_xs, passes)
            else:
                if self._shapes is None:
                    found = jax.eval_shape(lambda p, xs: self._run(p, rest, xs, passes, True)[0], params, own_xs)
                    self._shapes = {name: found[name].shape for name in self._orders[True][0]}
                cotangents = dys.of(self._shapes)
                ys, (rest, seen), (dparams, dxs) = self._train(params, rest, own_xs, passes, cotangents)
                gradients = self._canonical(dparams)
                inputs = [permuted(np.asarray(dx), self._layout, back=True).copy() for dx in dxs]
            state = self._canonical(params) | self._canonical(rest)
            state = {name: state[name] for name in self.nature.shapes}
            names, order = self._orders[dys is not None]
            dropped = self._module.dropped if dys is not None else []
            if dropped:
                self.notes.append(DROPOUT_OFF)
            layers = {name: np.array(seen[name][1]) for name in order}
            entries = {name: np.array(entry) for name in order if (entry := seen[name][0]) is not None}
            values = {name: np.array(ys[name]) for name in names}
            return Observed(values, layers, entries, state, gradients, inputs, dropped, self._calls)

    def _canonical(self, tree: Any) -> Arrays:
        native = self._module.leaves(tree)
        forms = self._module.forms
        return {forms[own].name: forms[own].canonical(array) for own, array in native.items() if own in forms}
