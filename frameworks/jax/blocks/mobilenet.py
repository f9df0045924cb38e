"""MobileNetV1 in JAX."""

import jax

from common.layers.values import Pair
from frameworks.jax import layers
from frameworks.jax.layers import Tree, avg_pool, batch_norm, conv2d, flatten, linear

# Stride of the 13 separable blocks.
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def conv_bn_relu(
    params: Tree, stats: Tree, x: jax.Array, *, stride: int = 1, groups: int = 1, train: bool
) -> tuple[jax.Array, Tree]:
    """Convolution that keeps the size (apart from its stride), norm, ReLU."""
    pad = params["conv"]["kernel"].shape[0] // 2
    x = conv2d(params["conv"], x, (stride, stride), ((pad, pad), (pad, pad)), groups=groups)
    x, norm = batch_norm(params["norm"], stats["norm"], x, train=train)
    return jax.nn.relu(x), {"norm": norm}


def separable_block(params: Tree, stats: Tree, x: jax.Array, *, stride: int, train: bool) -> tuple[jax.Array, Tree]:
    """3 x 3 depthwise and pointwise convolution, each with norm and ReLU."""
    groups = x.shape[-1]
    x, depthwise = conv_bn_relu(params["depthwise"], stats["depthwise"], x, stride=stride, groups=groups, train=train)
    x, pointwise = conv_bn_relu(params["pointwise"], stats["pointwise"], x, train=train)
    return x, {"depthwise": depthwise, "pointwise": pointwise}


def mobilenet_v1(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    dropout: float = 0.5,
    pool_size: Pair = (7, 7),
    softmax: bool = True,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[jax.Array, Tree]:
    """MobileNetV1: ``[n, h, w, c] -> [n, classes]``, where h, w are 32 times ``pool_size``.

    Porting notes: with stride 2, set the padding in numbers: "SAME" is another function. ``alpha``, the number of
    classes and the biases follow from the arrays. Dropout takes a PRNG ``key``, which only training needs.
    """
    x, stem = conv_bn_relu(params["stem"], stats["stem"], x, stride=2, train=train)
    blocks = []
    for block, block_stats, stride in zip(params["blocks"], stats["blocks"], STRIDES, strict=True):
        x, block_stats = separable_block(block, block_stats, x, stride=stride, train=train)
        blocks.append(block_stats)
    x = flatten(avg_pool(x, pool_size))
    x = layers.dropout(x, dropout, key, train)
    x = linear(params["linear"], x)
    return jax.nn.softmax(x) if softmax else x, {"stem": stem, "blocks": blocks}
