"""A JAX function with its arrays as `common.live` runs it: ``y, stats = apply(params, stats, x, train=...)``, NHWC."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from common.live import PRECISION, Observed
from common.params import Arrays
from common.porting import PortError, Shapes
from common.spec import INPUT
from frameworks.jax import layout, to_nchw
from frameworks.jax.tracing import tapped


def to_nhwc(x: np.ndarray) -> np.ndarray:
    """A map as ``[n, h, w, c]``; ``[n, features]`` stays."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x


class Live:
    """A function and its arrays in float64. Of functions that are not ours no layer's output is seen.

    ``native`` is ``(apply, params, stats)``, or ``(apply, params)`` for ``y = apply(params, x)``.
    """

    framework = "jax"
    precision = PRECISION

    def __init__(self, native: tuple[Any, ...], shape: tuple[int, ...], alone: bool) -> None:
        if len(native) not in (2, 3) or not callable(native[0]):
            raise PortError("a JAX module is (apply, params, stats) or (apply, params)")
        self.notes: list[str] = []
        apply, self._params = native[:2]
        self._stats = native[2] if len(native) == 3 else {}
        self._apply = apply if len(native) == 3 else lambda params, stats, x: (apply(params, x), stats)
        self._order: list[str] = []
        modes = "train" in inspect.signature(self._apply).parameters
        self._evaluate = jax.jit(self._run({"train": False} if modes else {}))
        run = self._run({"train": True} if modes else {})

        def train(params: Any, stats: Any, x: jax.Array, dy: jax.Array) -> Any:
            y, pull, (stats, seen) = jax.vjp(lambda params, x: run(params, stats, x), params, x, has_aux=True)
            return y, (stats, seen), pull(dy)

        self._train = jax.jit(train)

    def _run(self, options: dict[str, bool]) -> Callable[..., Any]:
        def run(params: Any, stats: Any, x: jax.Array) -> Any:
            seen: dict[str, jax.Array] = {}

            def keep(name: str, y: jax.Array) -> jax.Array:
                seen[name] = y
                return y

            with tapped(params, keep):
                y, stats = self._apply(params, stats, x, **options)
            # A jitted function returns dicts sorted by name: the order of execution is kept beside it.
            self._order = list(seen)
            return y, (stats, seen)

        return run

    def shapes(self) -> Shapes:
        return {name: array.shape for tree in (self._params, self._stats) for name, array in layout.leaves(tree)}

    def _filled(self, tree: Any, arrays: Arrays) -> Any:
        """The tree with canonical arrays in it."""
        names = iter([name for name, _ in layout.leaves(tree)])
        return jax.tree.map(lambda old: jax.numpy.asarray(layout.native_array(arrays[next(names)])), tree)

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        with jax.enable_x64(True):
            params, stats = self._filled(self._params, arrays), self._filled(self._stats, arrays)
            if dy is None:
                y, (after, seen) = self._evaluate(params, stats, to_nhwc(x))
                gradients: Arrays = {}
            else:
                y, (after, seen), (own, dx) = self._train(params, stats, to_nhwc(x), to_nhwc(dy))
                gradients = {INPUT: to_nchw(dx), **dict(layout.leaves(own))}
            held = dict([*layout.leaves(params), *layout.leaves(after)])
            return Observed(to_nchw(y), {name: to_nchw(seen[name]) for name in self._order}, held, gradients)
