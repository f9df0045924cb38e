"""ResNet in JAX."""

import jax
import jax.numpy as jnp
from jax import lax

from common.layers.values import Depths
from frameworks.jax.blocks.residual import conv_norm, residual_basic, residual_bottleneck
from frameworks.jax.layers import Tree, linear


def max_pool(x: jax.Array) -> jax.Array:
    """The largest value of 3 x 3 windows, at every second pixel of ``[n, h, w, c]``."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))


def resnet(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    depths: Depths = (2, 2, 2, 2),
    bottlenecks: bool = False,
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """ResNet: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: a maximum pads with minus infinity, not with zeros. "SAME" at stride 2 pads an even map at the bottom
    and right only, in the 7 x 7 convolution and in the pool too (flax#2993). A mean over height and width gives ``[n,
    c]`` in the order that the linear weights expect: nothing has to be transposed.
    """
    make = residual_bottleneck if bottlenecks else residual_basic
    strides = [(2, 2) if stage and i == 0 else (1, 1) for stage, depth in enumerate(depths) for i in range(depth)]
    x, stem = conv_norm(params["stem"], stats["stem"], x, stride=(2, 2), act=jax.nn.relu, train=train)
    x, blocks = max_pool(x), []
    for block, block_stats, stride in zip(params["blocks"], stats["blocks"], strides, strict=True):
        x, block_stats = make(block, block_stats, x, stride=stride, train=train)
        blocks.append(block_stats)
    return linear(params["head"]["linear"], x.mean((1, 2))), {"stem": stem, "blocks": blocks}
