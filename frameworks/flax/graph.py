"""Any spec as an ``nnx.Module``, from its graph: for blocks that nobody has written by hand."""

import functools
from collections.abc import Callable
from functools import singledispatch
from operator import attrgetter
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from common import layers as spec
from common.spec import INPUT, BlockSpec
from frameworks.flax.layers import LayerScale, channel_shuffle, flatten


class Function(nnx.Module):
    """A layer without arrays: a function call in a hand-written block, but a module with a path in a graph."""

    def __init__(self, function: Callable[..., jax.Array]) -> None:
        self.function = function

    def __call__(self, *maps: jax.Array) -> jax.Array:
        return self.function(*maps)


@singledispatch
def native(layer: spec.Layer, rngs: nnx.Rngs) -> nnx.Module:
    """Flax's layer for a layer of the vocabulary; NHWC."""
    raise NotImplementedError(f"Flax has no layer for {type(layer).__name__}")


def convolution(layer: spec.Conv2d, rngs: nnx.Rngs, kind: type[nnx.Conv] = nnx.Conv) -> nnx.Module:
    """A convolution of class ``kind`` with the layer's sizes."""
    return kind(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        strides=layer.stride,
        padding=layer.padding,
        kernel_dilation=layer.dilation,
        feature_group_count=layer.groups,
        use_bias=layer.bias,
        rngs=rngs,
    )


@native.register
def _(layer: spec.Conv2d, rngs: nnx.Rngs) -> nnx.Module:
    return convolution(layer, rngs)


def norm(layer: spec.BatchNorm2d, rngs: nnx.Rngs, kind: type[nnx.BatchNorm] = nnx.BatchNorm) -> nnx.Module:
    """A norm of class ``kind`` with the layer's settings."""
    return kind(
        layer.num_features,
        momentum=1 - layer.momentum,
        epsilon=layer.eps,
        use_bias=layer.affine,
        use_scale=layer.affine,
        rngs=rngs,
    )


@native.register
def _(layer: spec.BatchNorm2d, rngs: nnx.Rngs) -> nnx.Module:
    return norm(layer, rngs)


@native.register
def _(layer: spec.ReLU, rngs: nnx.Rngs) -> nnx.Module:
    return Function(nnx.relu)


@native.register
def _(layer: spec.LeakyReLU, rngs: nnx.Rngs) -> nnx.Module:
    return Function(functools.partial(nnx.leaky_relu, negative_slope=layer.negative_slope))


@native.register
def _(layer: spec.GroupNorm, rngs: nnx.Rngs) -> nnx.Module:
    affine = layer.affine
    return nnx.GroupNorm(
        layer.num_features, layer.num_groups, epsilon=layer.eps, use_bias=affine, use_scale=affine, rngs=rngs
    )


@native.register
def _(layer: spec.LayerNorm2d, rngs: nnx.Rngs) -> nnx.Module:
    affine = layer.affine
    return nnx.LayerNorm(layer.num_features, epsilon=layer.eps, use_bias=affine, use_scale=affine, rngs=rngs)


@native.register
def _(layer: spec.LayerScale, rngs: nnx.Rngs) -> nnx.Module:
    return LayerScale(layer.num_features, layer.value)


@native.register
def _(layer: spec.ReLU6, rngs: nnx.Rngs) -> nnx.Module:
    return Function(nnx.relu6)


@native.register
def _(layer: spec.Hardsigmoid, rngs: nnx.Rngs) -> nnx.Module:
    return Function(nnx.hard_sigmoid)


@native.register
def _(layer: spec.Hardswish, rngs: nnx.Rngs) -> nnx.Module:
    return Function(nnx.hard_swish)


@native.register
def _(layer: spec.Sigmoid, rngs: nnx.Rngs) -> nnx.Module:
    return Function(nnx.sigmoid)


@native.register
def _(layer: spec.SiLU, rngs: nnx.Rngs) -> nnx.Module:
    return Function(nnx.silu)


@native.register
def _(layer: spec.GELU, rngs: nnx.Rngs) -> nnx.Module:
    return Function(functools.partial(nnx.gelu, approximate=layer.approximate == "tanh"))


@native.register
def _(layer: spec.MaxPool2d, rngs: nnx.Rngs) -> nnx.Module:
    padding: Any = [(pad, pad) for pad in layer.padding]  # the annotation in Flax knows words only
    return Function(lambda x: nnx.max_pool(x, layer.kernel_size, layer.stride, padding))


@native.register
def _(layer: spec.ChannelShuffle, rngs: nnx.Rngs) -> nnx.Module:
    return Function(functools.partial(channel_shuffle, groups=layer.groups))


@native.register
def _(layer: spec.Multiply, rngs: nnx.Rngs) -> nnx.Module:
    return Function(jnp.multiply)


@native.register
def _(layer: spec.AvgPool2d, rngs: nnx.Rngs) -> nnx.Module:
    padding: Any = [(pad, pad) for pad in layer.padding]  # Flax annotates strings only

    def pool(x: jax.Array) -> jax.Array:
        y = nnx.avg_pool(x, layer.kernel_size, layer.stride, padding, layer.count_include_pad)
        # If padding does not count, Flax divides by counts in JAX's default type: float64 where that is on.
        return y.astype(x.dtype)

    return Function(pool)


@native.register
def _(layer: spec.GlobalAvgPool2d, rngs: nnx.Rngs) -> nnx.Module:
    return Function(lambda x: x.mean((1, 2), keepdims=True))


@native.register
def _(layer: spec.Flatten, rngs: nnx.Rngs) -> nnx.Module:
    return Function(flatten)


@native.register
def _(layer: spec.Dropout, rngs: nnx.Rngs) -> nnx.Module:
    return nnx.Dropout(layer.rate, rngs=rngs)


@native.register
def _(layer: spec.Linear, rngs: nnx.Rngs) -> nnx.Module:
    return nnx.Linear(layer.in_features, layer.out_features, use_bias=layer.bias, rngs=rngs)


@native.register
def _(layer: spec.Softmax, rngs: nnx.Rngs) -> nnx.Module:
    return Function(nnx.softmax)  # over the last axis: channels or classes


@native.register
def _(layer: spec.Concat, rngs: nnx.Rngs) -> nnx.Module:
    return Function(lambda *maps: jnp.concatenate(maps, axis=-1))


@native.register
def _(layer: spec.ChannelSlice, rngs: nnx.Rngs) -> nnx.Module:
    return Function(lambda x: x[..., layer.start : layer.stop])


@native.register
def _(layer: spec.Add, rngs: nnx.Rngs) -> nnx.Module:
    return Function(lambda *maps: functools.reduce(jnp.add, maps))


class Graph(nnx.Module):
    """The spec's layers under the spec's module paths, called in the spec's order; NHWC."""

    def __init__(self, block: BlockSpec, *, rngs: nnx.Rngs) -> None:
        self.nodes = block.nodes
        for node in block.nodes:
            *path, leaf = node.name.split(".")
            parent: nnx.Module = self
            for name in path:
                if name not in vars(parent):
                    setattr(parent, name, nnx.Module())
                parent = getattr(parent, name)
            setattr(parent, leaf, native(node.layer, rngs))

    def __call__(self, x: jax.Array) -> jax.Array:
        values = {INPUT: x}
        for node in self.nodes:
            values[node.name] = attrgetter(node.name)(self)(*(values[name] for name in node.inputs))
        return values[self.nodes[-1].name]
