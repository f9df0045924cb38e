"""Any spec as a plain function, from its graph: for blocks that nobody has written by hand."""

from collections.abc import Callable
from functools import reduce, singledispatch

import jax
import jax.numpy as jnp
from jax import lax

from common import layers as spec
from common.spec import INPUT, Node
from frameworks.jax import layers
from frameworks.jax.layers import Tree


def at(tree: Tree, path: str) -> Tree:
    """The subtree under a module path; empty where a layer has no arrays."""
    for key in path.split("."):
        children = {str(index): child for index, child in enumerate(tree)} if isinstance(tree, list) else tree
        tree = children.get(key, {})
    return tree


@singledispatch
def native(layer: spec.Layer, params: Tree, *maps: jax.Array) -> jax.Array:
    """The output of a layer of the vocabulary that has no statistics; NHWC."""
    raise NotImplementedError(f"JAX has no function for {type(layer).__name__}")


@native.register
def _(layer: spec.Conv2d, params: Tree, *maps: jax.Array) -> jax.Array:
    return layers.conv2d(params, maps[0], layer.stride, layer.padding, layer.dilation, layer.groups)


@native.register
def _(layer: spec.ReLU, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.relu(maps[0])


@native.register
def _(layer: spec.LeakyReLU, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.leaky_relu(maps[0], layer.negative_slope)


@native.register
def _(layer: spec.GroupNorm, params: Tree, *maps: jax.Array) -> jax.Array:
    return layers.group_norm(params, maps[0], layer.num_groups, layer.eps)


@native.register
def _(layer: spec.LayerNorm2d, params: Tree, *maps: jax.Array) -> jax.Array:
    return layers.layer_norm(params, maps[0], layer.eps)


@native.register
def _(layer: spec.LayerScale, params: Tree, *maps: jax.Array) -> jax.Array:
    return layers.layer_scale(params, maps[0])


@native.register
def _(layer: spec.ReLU6, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.relu6(maps[0])


@native.register
def _(layer: spec.Hardsigmoid, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.hard_sigmoid(maps[0])


@native.register
def _(layer: spec.Hardswish, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.hard_swish(maps[0])


@native.register
def _(layer: spec.Sigmoid, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.sigmoid(maps[0])


@native.register
def _(layer: spec.SiLU, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.silu(maps[0])


@native.register
def _(layer: spec.GELU, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.gelu(maps[0], approximate=layer.approximate == "tanh")


@native.register
def _(layer: spec.MaxPool2d, params: Tree, *maps: jax.Array) -> jax.Array:
    (ph, pw), window, stride = layer.padding, (1, *layer.kernel_size, 1), (1, *layer.stride, 1)
    return lax.reduce_window(maps[0], -jnp.inf, lax.max, window, stride, ((0, 0), (ph, ph), (pw, pw), (0, 0)))


@native.register
def _(layer: spec.ChannelShuffle, params: Tree, *maps: jax.Array) -> jax.Array:
    return layers.channel_shuffle(maps[0], layer.groups)


@native.register
def _(layer: spec.Multiply, params: Tree, *maps: jax.Array) -> jax.Array:
    return maps[0] * maps[1]


@native.register
def _(layer: spec.AvgPool2d, params: Tree, *maps: jax.Array) -> jax.Array:
    (ph, pw), window, stride = layer.padding, (1, *layer.kernel_size, 1), (1, *layer.stride, 1)
    padding = ((0, 0), (ph, ph), (pw, pw), (0, 0))
    total = lax.reduce_window(maps[0], 0.0, lax.add, window, stride, padding)
    if layer.count_include_pad:
        return total / (layer.kernel_size[0] * layer.kernel_size[1])
    return total / lax.reduce_window(jnp.ones_like(maps[0]), 0.0, lax.add, window, stride, padding)


@native.register
def _(layer: spec.GlobalAvgPool2d, params: Tree, *maps: jax.Array) -> jax.Array:
    return maps[0].mean((1, 2), keepdims=True)


@native.register
def _(layer: spec.Flatten, params: Tree, *maps: jax.Array) -> jax.Array:
    return layers.flatten(maps[0])


@native.register
def _(layer: spec.Linear, params: Tree, *maps: jax.Array) -> jax.Array:
    return maps[0] @ params["kernel"] + params.get("bias", 0)


@native.register
def _(layer: spec.Softmax, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.softmax(maps[0], axis=-1)


@native.register
def _(layer: spec.Concat, params: Tree, *maps: jax.Array) -> jax.Array:
    return jnp.concatenate(maps, axis=-1)


@native.register
def _(layer: spec.ChannelSlice, params: Tree, *maps: jax.Array) -> jax.Array:
    return maps[0][..., layer.start : layer.stop]


@native.register
def _(layer: spec.Add, params: Tree, *maps: jax.Array) -> jax.Array:
    return reduce(jnp.add, maps)


@singledispatch
def stateful(
    layer: spec.Layer, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: jax.Array | None
) -> tuple[jax.Array, Tree]:
    """The output of any layer, and the statistics to use next."""
    return native(layer, params, *maps), stats


@stateful.register
def _(
    layer: spec.BatchNorm2d, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: jax.Array | None
) -> tuple[jax.Array, Tree]:
    return layers.batch_norm(params, stats, maps[0], layer.eps, layer.momentum, train)


@stateful.register
def _(
    layer: spec.Dropout, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: jax.Array | None
) -> tuple[jax.Array, Tree]:
    return layers.dropout(maps[0], layer.rate, key, train), stats


def untouched(name: str, y: jax.Array) -> jax.Array:
    """The tap that does nothing."""
    return y


def graph(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    nodes: tuple[Node, ...],
    train: bool = False,
    key: jax.Array | None = None,
    tap: Callable[[str, jax.Array], jax.Array] = untouched,
) -> tuple[jax.Array, Tree]:
    """The spec's layers in the spec's order; ``tap(name, output)`` may look at each output and replace it."""
    values = {INPUT: x}
    stats = jax.tree.map(lambda old: old, stats)  # a copy of the containers, to be renewed in place
    for node in nodes:
        statistics = at(stats, node.name)
        maps = [values[name] for name in node.inputs]
        y, renewed = stateful(node.layer, at(params, node.name), statistics, maps, train, key)
        statistics.update(renewed)
        values[node.name] = tap(node.name, y)
    return values[nodes[-1].name], stats
