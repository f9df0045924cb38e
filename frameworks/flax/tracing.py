"""Looking at the layers inside a module."""

from collections.abc import Callable

import jax
from flax import nnx

from frameworks.flax import layout


def watch(module: nnx.Module, nodes: frozenset[str], keep: Callable[[str, jax.Array], jax.Array]) -> None:
    """Puts ``keep(name, output)`` for the output of every submodule whose path is a node's name.

    The functions that take the submodules' places hide these from `nnx.state`: it is for a copy that is thrown away.
    """

    def watched(name: str, layer: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
        return lambda *inputs: keep(name, layer(*inputs))

    modules = layout.modules(module)
    for name in modules.keys() & nodes:
        parent, _, leaf = name.rpartition(".")
        vars(modules[parent])[leaf] = watched(name, modules[name])
