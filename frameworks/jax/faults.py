"""Layers with mistakes that people make in JAX (see `common.faults`). Importing this adds them to the graph."""

import jax
import jax.numpy as jnp
from jax import lax

from common.faults import layers as faulty
from common.faults.edits import Edit
from frameworks.jax import layers
from frameworks.jax.graph import native, stateful
from frameworks.jax.layers import Tree

Key = jax.Array | None


_conv = native.dispatch(faulty.Conv2d)


@native.register
def _(layer: faulty.ReplicatedConv2d, params: Tree, *maps: jax.Array) -> jax.Array:
    x = jnp.pad(maps[0], ((0, 0), *layer.padding, (0, 0)), mode="edge")
    return layers.conv2d(params, x, layer.stride, dilation=layer.dilation, groups=layer.groups)


@native.register
def _(layer: faulty.HalfConv2d, params: Tree, *maps: jax.Array) -> jax.Array:
    kernel = params["kernel"].astype(jnp.float16).astype(maps[0].dtype)
    return _conv(layer, {**params, "kernel": kernel}, maps[0])


@native.register
def _(layer: faulty.DetachedConv2d, params: Tree, *maps: jax.Array) -> jax.Array:
    return _conv(layer, {**params, "kernel": lax.stop_gradient(params["kernel"])}, maps[0])


@native.register
def _(layer: faulty.Detached, params: Tree, *maps: jax.Array) -> jax.Array:
    return lax.stop_gradient(maps[0])


@native.register
def _(layer: faulty.HardGradientLeakyReLU, params: Tree, *maps: jax.Array) -> jax.Array:
    hard = jax.nn.relu(maps[0])
    return hard + lax.stop_gradient(jax.nn.leaky_relu(maps[0], layer.negative_slope) - hard)


@native.register
def _(layer: faulty.NhwcFlatten, params: Tree, *maps: jax.Array) -> jax.Array:
    return maps[0].reshape(len(maps[0]), -1)


@native.register
def _(layer: faulty.BatchSoftmax, params: Tree, *maps: jax.Array) -> jax.Array:
    return jax.nn.softmax(maps[0], axis=0)


@stateful.register
def _(
    layer: faulty.ScaledDropout, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: Key
) -> tuple[jax.Array, Tree]:
    return maps[0] if train else maps[0] * (1 - layer.rate), stats


@stateful.register
def _(
    layer: faulty.FrozenBatchNorm2d, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: Key
) -> tuple[jax.Array, Tree]:
    return layers.batch_norm(params, stats, maps[0], layer.eps)


@stateful.register
def _(
    layer: faulty.DetachedBatchNorm2d, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: Key
) -> tuple[jax.Array, Tree]:
    y, renewed = layers.batch_norm(params, stats, maps[0], layer.eps, layer.momentum, train)
    if not train:
        return y, renewed
    x = lax.stop_gradient(maps[0])
    constant = {"mean": x.mean((0, 1, 2)), "var": x.var((0, 1, 2))}
    return layers.batch_norm(params, constant, maps[0], layer.eps)[0], renewed


@stateful.register
def _(
    layer: faulty.OtherVarianceBatchNorm2d, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: Key
) -> tuple[jax.Array, Tree]:
    y, renewed = layers.batch_norm(params, stats, maps[0], layer.eps, layer.momentum, train)
    if train:
        var = (1 - layer.momentum) * stats["var"] + layer.momentum * maps[0].var((0, 1, 2), ddof=1)
        renewed = {**renewed, "var": var}
    return y, renewed


@stateful.register
def _(
    layer: faulty.EpsOutsideBatchNorm2d, params: Tree, stats: Tree, maps: list[jax.Array], train: bool, key: Key
) -> tuple[jax.Array, Tree]:
    y = (maps[0] - stats["mean"]) / (jnp.sqrt(stats["var"]) + layer.eps)
    return y * params["scale"] + params["bias"], stats


# Mistakes in the text of the blocks: see `common.faults.edits`.
EDITS = {
    "written: padding on the other side": Edit(
        "convolutions",
        "stride, padding, dilation), stats",
        "stride, tuple(side[::-1] for side in padding), dilation), stats",
    ),
    "written: stride for dilation": Edit(
        "separable",
        "stride=stride,\n        padding=padding,\n        dilation=dilation",
        "stride=dilation,\n        padding=padding,\n        dilation=stride",
    ),
    "written: activation before norm": Edit(
        "separable",
        'x, eps, momentum, train)\n    return jax.nn.leaky_relu(x, negative_slope), {"norm": norm}',
        'jax.nn.leaky_relu(x, negative_slope), eps, momentum, train)\n    return x, {"norm": norm}',
    ),
    "written: norm eps": Edit("separable", "x, eps, momentum", "x, 1e-5, momentum"),
    "written: momentum": Edit("separable", "eps, momentum, train", "eps, 1 - momentum, train"),
    "written: concat order": Edit("ghost", "[primary, cheap]", "[cheap, primary]", "slice"),
    "written: activation too many": Edit(
        "stacks",
        'conv2d(params["pointwise"], x)',
        'conv2d(params["pointwise"], jax.nn.leaky_relu(x, negative_slope))',
    ),
    "written: stride a block late": Edit("mobilenet", "(1, 2, 1, 2,", "(1, 1, 2, 2,"),
    "written: depthwise part detached": Edit(
        "separable",
        'stats["pointwise"],\n        x,',
        'stats["pointwise"],\n        jax.lax.stop_gradient(x),',
        "depthwise.act",
    ),
}
