"""MobileNetV2 in JAX."""

import jax

from common.layers.values import Depths
from frameworks.jax import layers
from frameworks.jax.blocks.inverted import inverted_residual
from frameworks.jax.blocks.residual import conv_norm
from frameworks.jax.layers import Tree, linear

# Stride of the first block of each stage.
STRIDES = (1, 2, 2, 2, 1, 2, 1)


def mobilenet_v2(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    depths: Depths = (1, 2, 3, 4, 3, 3, 1),
    dropout: float = 0.2,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[jax.Array, Tree]:
    """MobileNetV2: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: all widths follow from the arrays; the strides do not. Weights from TensorFlow want "SAME" padding,
    which at stride 2 pads an even size at the bottom and right only; those from PyTorch want a pixel on every side.
    """
    strides = [stride for depth, first in zip(depths, STRIDES, strict=False) for stride in (first, *[1] * (depth - 1))]
    x, stem = conv_norm(params["stem"], stats["stem"], x, stride=(2, 2), act=jax.nn.relu6, train=train)
    blocks = []
    for block, block_stats, stride in zip(params["blocks"], stats["blocks"], strides, strict=True):
        x, block_stats = inverted_residual(block, block_stats, x, stride=(stride, stride), train=train)
        blocks.append(block_stats)
    x, last = conv_norm(params["last"], stats["last"], x, act=jax.nn.relu6, train=train)
    x = layers.dropout(x.mean((1, 2)), dropout, key, train)
    return linear(params["head"]["linear"], x), {"stem": stem, "blocks": blocks, "last": last}
