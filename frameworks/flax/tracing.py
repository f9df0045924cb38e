"""Looking at the layers inside a module."""

from collections.abc import Callable

import jax
from flax import nnx

from frameworks.flax import layout


def watch(module: nnx.Module, nodes: frozenset[str], keep: Callable[[str, jax.Array], jax.Array]) -> None:
    """Puts ``keep(name, output)`` for the output of every submodule whose path is a node's name.

    Use it on a copy: functions replace the submodules, which hides the submodules from `nnx.state`.
    """

    def watched(name: str, layer: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
        return lambda *inputs: keep(name, layer(*inputs))

    modules = layout.modules(module)
    for name in modules.keys() & nodes:
        parent, _, leaf = name.rpartition(".")
        vars(modules[parent])[leaf] = watched(name, modules[name])
