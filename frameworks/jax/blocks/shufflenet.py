"""ShuffleNetV2 and its unit in JAX."""

import jax
import jax.numpy as jnp

from common.layers.values import Depths, Pair
from frameworks.jax.blocks.residual import conv_norm
from frameworks.jax.blocks.resnet import max_pool
from frameworks.jax.layers import Tree, channel_shuffle, linear


def left(params: Tree, stats: Tree, x: jax.Array, stride: Pair, train: bool) -> tuple[jax.Array, Tree]:
    """The first half of a unit that has a stride: depthwise and 1 x 1 convolution."""
    groups, new = x.shape[-1], {}
    x, new["depthwise"] = conv_norm(
        params["depthwise"], stats["depthwise"], x, stride=stride, groups=groups, train=train
    )
    x, new["pointwise"] = conv_norm(params["pointwise"], stats["pointwise"], x, act=jax.nn.relu, train=train)
    return x, new


def right(params: Tree, stats: Tree, x: jax.Array, stride: Pair, train: bool) -> tuple[jax.Array, Tree]:
    """The second half of a unit: 1 x 1, depthwise and 1 x 1 convolution."""
    new = {}
    x, new["reduce"] = conv_norm(params["reduce"], stats["reduce"], x, act=jax.nn.relu, train=train)
    groups = x.shape[-1]
    x, new["depthwise"] = conv_norm(
        params["depthwise"], stats["depthwise"], x, stride=stride, groups=groups, train=train
    )
    x, new["expand"] = conv_norm(params["expand"], stats["expand"], x, act=jax.nn.relu, train=train)
    return x, new


def shuffle_unit(
    params: Tree, stats: Tree, x: jax.Array, *, stride: Pair = (1, 1), train: bool = False
) -> tuple[jax.Array, Tree]:
    """Half of the channels pass, convolutions change the rest, then both are shuffled; NHWC.

    Porting notes: the shuffle is a reshape to ``[..., 2, c / 2]``, a transpose of the last two axes and a reshape back;
    on the axes of NCHW code it would shuffle pixels, and raise nothing. ``jnp.split`` takes the number of parts.
    """
    new = {}
    if "left" in params:
        kept, new["left"] = left(params["left"], stats["left"], x, stride, train)
    else:
        kept, x = jnp.split(x, 2, axis=-1)
    y, new["right"] = right(params["right"], stats["right"], x, stride, train)
    return channel_shuffle(jnp.concatenate([kept, y], axis=-1), 2), new


def shufflenet_v2(
    params: Tree, stats: Tree, x: jax.Array, *, depths: Depths = (4, 8, 4), train: bool = False
) -> tuple[jax.Array, Tree]:
    """ShuffleNetV2: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: "SAME" at stride 2 pads an even map at the bottom and right only, in the convolutions and in the pool
    (flax#2993). All widths follow from the arrays.
    """
    x, stem = conv_norm(params["stem"], stats["stem"], x, stride=(2, 2), act=jax.nn.relu, train=train)
    x, blocks = max_pool(x), []
    strides = [(1, 1) if i else (2, 2) for depth in depths for i in range(depth)]
    for block, block_stats, stride in zip(params["blocks"], stats["blocks"], strides, strict=True):
        x, block_stats = shuffle_unit(block, block_stats, x, stride=stride, train=train)
        blocks.append(block_stats)
    x, last = conv_norm(params["last"], stats["last"], x, act=jax.nn.relu, train=train)
    return linear(params["head"]["linear"], x.mean((1, 2))), {"stem": stem, "blocks": blocks, "last": last}
