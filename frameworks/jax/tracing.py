"""Looking at the layers inside a plain function, which has no modules to put hooks on."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax

from frameworks.jax import layers
from frameworks.jax.layers import Tree

Tap = Callable[[str, jax.Array], jax.Array]


def _paths(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[int, str]]:
    """The identity and module path of every container in a tree."""
    yield id(tree), ".".join(path)
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in items:
        yield from _paths(child, (*path, str(key)))


@contextlib.contextmanager
def tapped(params: Tree, tap: Tap) -> Iterator[None]:
    """While active, ``tap(name, output)`` sees, and may replace, what each layer with parameters returns.

    A layer is known by which part of ``params`` it is given. The functions are replaced in the modules of the blocks.
    """
    names = dict(_paths(params))

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(own: Tree, *arguments: Any, **options: Any) -> Any:
            result = function(own, *arguments, **options)
            if isinstance(result, tuple):  # a norm returns its statistics too
                return tap(names[id(own)], result[0]), result[1]
            return tap(names[id(own)], result)

        return call

    replaced = []
    for function in (layers.conv2d, layers.batch_norm, layers.linear):
        watch = watched(function)
        for name, module in list(sys.modules.items()):
            if name.startswith("frameworks.jax.blocks.") and getattr(module, function.__name__, None) is function:
                replaced.append((module, function))
                setattr(module, function.__name__, watch)
    try:
        yield
    finally:
        for module, function in replaced:
            setattr(module, function.__name__, function)
