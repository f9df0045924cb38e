"""Looking at the layers inside a plain function, which has no modules to put hooks on.

`tapped` watches the functions that are the layers of our blocks. `layer_outputs` takes any function, and watches what
is computed from each layer's arrays.
"""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax.extend import core

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

    A layer is known by its part of ``params``. The functions are replaced in the modules of the blocks.
    """
    names = dict(_paths(params))

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(layer: Tree, *arguments: Any, **options: Any) -> Any:
            result = function(layer, *arguments, **options)
            if isinstance(result, tuple):  # a norm returns its statistics too
                return tap(names[id(layer)], result[0]), result[1]
            return tap(names[id(layer)], result)

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


def layer_outputs(function: Callable[..., Any], trees: Tree, owners: Tree, x: Tree) -> dict[str, jax.Array]:
    """For each layer the last map that is computed straight from one of its arrays, in order of execution.

    ``function(trees, x)`` is run equation by equation; ``owners`` has a layer's name at each leaf of ``trees``. What is
    computed from a layer's arrays alone (the root of a variance) counts as the layer's. Loops run as a whole.
    """
    outputs: dict[str, jax.Array] = {}

    def run(jaxpr: core.Jaxpr, consts: list[Any], arguments: list[Any], argument_owners: list[str | None]) -> Any:
        """Values and owners of the results; an owner is "" for a constant and None for what depends on ``x``."""
        values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *arguments), strict=True))
        owner: dict[Any, str | None] = {
            **dict.fromkeys(jaxpr.constvars, ""),
            **dict(zip(jaxpr.invars, argument_owners, strict=True)),
        }

        def read(atom: Any) -> tuple[Any, str | None]:
            return (atom.val, "") if isinstance(atom, core.Literal) else (values[atom], owner[atom])

        for equation in jaxpr.eqns:
            pairs = list(map(read, equation.invars))
            inputs, input_owners = [value for value, _ in pairs], [name for _, name in pairs]
            inner = equation.params.get("jaxpr") or equation.params.get("call_jaxpr")
            if isinstance(inner, core.ClosedJaxpr) and len(inner.jaxpr.invars) == len(inputs):
                results, result_owners = run(inner.jaxpr, inner.consts, inputs, input_owners)
            else:
                results = equation.primitive.bind(*inputs, **equation.params)
                results = results if equation.primitive.multiple_results else [results]
                read_layers = {name for name in input_owners if name}
                alone = None not in input_owners and len(read_layers) <= 1
                result_owners = [next(iter(read_layers), "") if alone else None] * len(results)
                if not alone:
                    outputs.update((name, y) for name in read_layers for y in results if y.ndim > 1)
            for variable, value, name in zip(equation.outvars, results, result_owners, strict=True):
                values[variable], owner[variable] = value, name
        outs, names = zip(*map(read, jaxpr.outvars), strict=True)
        return list(outs), list(names)

    closed = jax.make_jaxpr(function)(trees, x)
    xs = jax.tree.leaves(x)
    run(closed.jaxpr, closed.consts, [*jax.tree.leaves(trees), *xs], [*jax.tree.leaves(owners), *[None] * len(xs)])
    return outputs
