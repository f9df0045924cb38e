"""A JAX function with its arrays as `common.port.comparing` runs it: see `Live`."""

import inspect
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from common.port.given import empty, mixed, real
from common.port.live import PRECISION, Cotangents, Nature, Observed, canonical, mode, outputs, permuted
from common.port.weights import COLLECTIONS, PortError
from common.spec.params import Arrays
from frameworks.jax.forms import Form, collection, first_map, forms, is_weight, keys
from frameworks.jax.settings import settings
from frameworks.jax.steps import steps
from frameworks.jax.tracing import layer_outputs
from frameworks.jax.widened import widened

LAYOUTS = ("nhwc", "nchw")


class Live:
    """A function and its arrays in float64.

    ``native`` is ``(apply, params, stats)`` for ``y, stats = apply(params, stats, x, train=...)``, or
    ``(apply, params)`` for ``y = apply(params, x)``. Leaves of the trees that are no arrays stay as they are.
    """

    def __init__(self, native: tuple[Any, ...], shapes: Sequence[tuple[int, ...]], alone: bool, layout: str) -> None:
        if len(native) not in (2, 3) or not callable(native[0]):
            raise PortError("a JAX module is (apply, params, stats) or (apply, params)")
        self.notes: list[str] = []
        self._layout = layout
        apply, *trees = native
        leaves, structure = jax.tree_util.tree_flatten_with_path((*trees, *({},) * (2 - len(trees))))
        arrays = [(path, leaf) for path, leaf in leaves if is_weight(path, leaf)]
        self._own = [np.asarray(leaf) for _, leaf in arrays]
        self._trained = [collection(path) == "params" for path, _ in arrays]
        switches = _switches(apply)

        def tree(values: Sequence[Any]) -> Any:
            waiting = iter(values)
            held = [next(waiting) if is_weight(path, leaf) else leaf for path, leaf in leaves]
            return jax.tree_util.tree_unflatten(structure, held)

        def run(train: bool, values: Sequence[Any], xs: Sequence[Any]) -> tuple[dict[str, jax.Array], Any]:
            params, stats = tree(values)
            options = {name: mode(name, train) for name in switches}
            y, new = (
                (apply(params, *xs, **options), stats) if len(native) == 2 else apply(params, stats, *xs, **options)
            )
            return outputs(y, jax.Array), new

        self._run = run
        with widened():
            own_xs = [permuted(empty(shape), layout) for shape in shapes]
            wide = [np.zeros(array.shape) for array in self._own]
            self._forms: list[Form] = forms(lambda v, xs: run(False, v, xs), [path for path, _ in arrays], wide, own_xs)
            own_settings = settings(lambda v, xs: run(False, v, xs), self._forms, wide, own_xs)
            names, last = [form.name for form in self._forms], layout == "nhwc"
            between, self._calls = steps(lambda v, xs: run(False, v, xs)[0], names, wide, own_xs, last)
            channels = first_map(lambda v, xs: run(False, v, xs), wide, own_xs)
        if channels is not None and any(len(shape) > 3 for shape in shapes) and channels != layout:
            raise PortError(f"its first convolution takes {channels.upper()}, and is given {layout.upper()}")
        self._owners = [form.name.rpartition(".")[0] for form in self._forms]
        self._orders: dict[bool, tuple[list[str], list[str]]] = {}
        self._shapes: dict[str, tuple[int, ...]] | None = None

        def layers(train: bool, values: Any, xs: Any) -> dict[str, jax.Array]:
            return layer_outputs(lambda values, xs: run(train, values, xs), values, self._owners, xs)

        def evaluate(values: Any, xs: Any) -> Any:
            (ys, new), seen = run(False, values, xs), layers(False, values, xs)
            self._orders[False] = list(ys), list(seen)
            return ys, new, seen

        def train(values: Any, xs: Any, dys: Any) -> Any:
            floats = [x for x in xs if real(x)]
            ys, pull, new = jax.vjp(lambda values, fs: run(True, values, mixed(xs, fs)), values, floats, has_aux=True)
            seen = layers(True, values, xs)
            self._orders[True] = list(ys), list(seen)
            cast = {name: jax.numpy.asarray(dys[name], y.dtype) for name, y in ys.items()}
            return ys, new, seen, pull(cast)

        self._evaluate, self._train = jax.jit(evaluate), jax.jit(train)
        shapes_ = {form.name: form.shape for form in self._forms}
        wrapped = {keys(path)[0] for path, _ in arrays} <= {*COLLECTIONS}  # as files are, already
        files = [".".join([*([] if wrapped else [collection(path)]), *keys(path)]) for path, _ in leaves]
        weights = [is_weight(path, leaf) for path, leaf in leaves]
        self._files = [name for name, weight in zip(files, weights, strict=True) if weight]
        rest = zip(files, weights, leaves, strict=True)
        self._rest = {
            name: np.asarray(leaf) for name, weight, (_, leaf) in rest if not weight and hasattr(leaf, "shape")
        }
        kept = tuple(map(_as_read, self._rest))
        self.nature = Nature(
            "jax", PRECISION, shapes_, layout == "nhwc", bool(switches), settings=own_settings | between, kept=kept
        )

    def arrays(self, state: Arrays | None = None) -> Arrays:
        read = [_as_read(name) for name in self._files]
        held = dict(zip(read, self._own, strict=True)) if state is None else state
        names = {name: form.name for name, form in zip(read, self._forms, strict=True)}
        shapes = {form.name: own.shape for form, own in zip(self._forms, self._own, strict=True)}
        found = canonical(held, names, shapes, self.nature.kept)
        return {form.name: form.canonical(found[form.name]) for form in self._forms}

    def native(self, arrays: Arrays) -> Arrays:
        rows = zip(self._files, self._forms, strict=True)
        return {name: form.native(arrays[form.name]) for name, form in rows} | self._rest

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        with widened():
            values = [jax.numpy.asarray(form.native(arrays[form.name])) for form in self._forms]
            own_xs = [permuted(x, self._layout) for x in xs]
            gradients: Arrays = {}
            inputs: list[np.ndarray] = []
            if dys is None:
                ys, new, seen = self._evaluate(values, own_xs)
            else:
                if self._shapes is None:
                    found = jax.eval_shape(lambda values, xs: self._run(True, values, xs)[0], values, own_xs)
                    self._shapes = {name: y.shape for name, y in found.items()}
                ys, new, seen, (dvalues, dxs) = self._train(values, own_xs, dys.of(self._shapes))
                rows = zip(self._forms, dvalues, self._trained, strict=True)
                # An average among the trained arrays of a function without statistics is not trained.
                rows = ((form, d) for form, d, trained in rows if trained and not form.statistic)
                gradients = {form.name: form.canonical(np.asarray(d)) for form, d in rows}
                inputs = [permuted(np.asarray(dx), self._layout, back=True).copy() for dx in dxs]
            leaves = jax.tree_util.tree_leaves_with_path(((), new))
            averages = iter([leaf for path, leaf in leaves if is_weight(path, leaf)])
            after = [v if trained else next(averages) for v, trained in zip(values, self._trained, strict=True)]
            state = {form.name: form.canonical(np.asarray(v)) for form, v in zip(self._forms, after, strict=True)}
            names, order = self._orders[dys is not None]
            layers = {name: np.array(seen[name]) for name in order}
            values_ = {name: np.array(ys[name]) for name in names}
            return Observed(values_, layers, {}, state, gradients, inputs, calls=self._calls)


def _as_read(name: str) -> str:
    """The name of a leaf as a file is read, without its collection."""
    return name.partition(".")[2].replace("/", ".")


def _switches(apply: Any) -> list[str]:
    try:
        return [name for name in inspect.signature(apply).parameters if mode(name, True) is not None]
    except (TypeError, ValueError):  # a compiled function without a signature
        return []
