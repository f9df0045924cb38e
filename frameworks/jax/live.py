"""A JAX function with its arrays as `common.port.live` runs it: ``y, stats = apply(params, stats, x, train=...)``.

Activations are NHWC.
"""

import inspect
from typing import Any

import jax
import numpy as np

from common.port.live import PRECISION, Observed
from common.port.weights import PortError
from common.spec import INPUT
from common.spec.params import Arrays, Shapes
from frameworks.jax import layout
from frameworks.jax.built import to_nchw
from frameworks.jax.tracing import layer_outputs


def to_nhwc(x: np.ndarray) -> np.ndarray:
    """A map as ``[n, h, w, c]``; ``[n, features]`` stays."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x


class Live:
    """A function and its arrays in float64.

    ``native`` is ``(apply, params, stats)``, or ``(apply, params)`` for ``y = apply(params, x)``.
    """

    framework = "jax"
    precision = PRECISION

    def __init__(self, native: tuple[Any, ...], shape: tuple[int, ...], alone: bool) -> None:
        if len(native) not in (2, 3) or not callable(native[0]):
            raise PortError("a JAX module is (apply, params, stats) or (apply, params)")
        self.notes: list[str] = []
        apply, *trees = native
        self._trees = (*trees, {}) if len(trees) == 1 else tuple(trees)
        has_mode = len(trees) == 2 and "train" in inspect.signature(apply).parameters
        self._order: list[str] = []

        def run(train: bool, trees: tuple[Any, Any], x: jax.Array) -> tuple[jax.Array, Any]:
            if len(native) == 2:
                return apply(trees[0], x), trees[1]
            return apply(*trees, x, **({"train": train} if has_mode else {}))

        def layers(train: bool, trees: Any, x: jax.Array) -> dict[str, jax.Array]:
            seen = layer_outputs(lambda trees, x: run(train, trees, x), trees, self._owners(), x)
            # A jitted function returns dicts sorted by name: the order of execution is kept apart.
            self._order = list(seen)
            return seen

        def evaluate(trees: Any, x: jax.Array) -> Any:
            return run(False, trees, x), layers(False, trees, x)

        def train(trees: Any, x: jax.Array, dy: jax.Array) -> Any:
            params, stats = trees
            y, pull, stats = jax.vjp(lambda params, x: run(True, (params, stats), x), params, x, has_aux=True)
            return (y, stats), layers(True, trees, x), pull(dy)

        self._evaluate, self._train = jax.jit(evaluate), jax.jit(train)

    def _owners(self) -> Any:
        def layer(path: Any, leaf: Any) -> str:
            return next((name.rpartition(".")[0] for name, _ in layout.leaf(path, leaf)), "")

        return tuple(jax.tree_util.tree_map_with_path(layer, tree) for tree in self._trees)

    def shapes(self) -> Shapes:
        return {name: array.shape for tree in self._trees for name, array in layout.leaves(tree)}

    def arrays(self) -> Arrays:
        return dict(leaf for tree in self._trees for leaf in layout.leaves(tree))

    def native(self, arrays: Arrays) -> Arrays:
        trees = dict(zip(("params", "stats"), self._filled(arrays), strict=True))
        leaves = jax.tree_util.tree_leaves_with_path(trees)
        return {".".join(layout.keys(path)): np.array(leaf, order="C") for path, leaf in leaves}

    def _filled(self, arrays: Arrays) -> tuple[Any, Any]:
        """The trees with these arrays; a leaf that is no weight stays."""

        def fill(path: Any, leaf: Any) -> Any:
            names = [name for name, _ in layout.leaf(path, leaf)]
            return layout.as_leaf(path, leaf.shape, arrays[names[0]]) if names else leaf

        params, stats = (jax.tree_util.tree_map_with_path(fill, tree) for tree in self._trees)
        return params, stats

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        with jax.enable_x64(True):
            trees = jax.tree.map(jax.numpy.asarray, self._filled(arrays))
            gradients: Arrays = {}
            if dy is None:
                (y, after), seen = self._evaluate(trees, to_nhwc(x))
            else:
                (y, after), seen, (dparams, dx) = self._train(trees, to_nhwc(x), to_nhwc(dy))
                gradients = {INPUT: to_nchw(dx), **dict(layout.leaves(dparams))}
            state = dict([*layout.leaves(trees[0]), *layout.leaves(after)])
            return Observed(to_nchw(y), {name: to_nchw(seen[name]) for name in self._order}, state, gradients)
