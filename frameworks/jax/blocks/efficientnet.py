"""EfficientNet in JAX."""

import jax

from common.layers.values import Depths
from frameworks.jax import layers
from frameworks.jax.blocks.inverted import inverted_residual
from frameworks.jax.blocks.residual import conv_norm
from frameworks.jax.layers import Tree, linear

# Stride of the first block of each stage.
STRIDES = (1, 2, 2, 2, 1, 2, 1)


def efficientnet(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    depths: Depths = (1, 2, 2, 3, 3, 4, 1),
    dropout: float = 0.2,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[jax.Array, Tree]:
    """EfficientNet-B0 to -B4: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: widths, kernels and gates follow from the arrays; the strides do not. ``jax.nn.silu`` is also
    ``jax.nn.swish``. Weights from TensorFlow want "SAME" padding and norms with eps 1e-3.
    """
    strides = [stride for depth, first in zip(depths, STRIDES, strict=False) for stride in (first, *[1] * (depth - 1))]
    x, stem = conv_norm(params["stem"], stats["stem"], x, stride=(2, 2), act=jax.nn.silu, train=train)
    blocks, form = [], {"act": "silu", "squeeze_act": "silu", "gate": "sigmoid", "train": train}
    for block, block_stats, stride in zip(params["blocks"], stats["blocks"], strides, strict=True):
        x, block_stats = inverted_residual(block, block_stats, x, stride=(stride, stride), **form)
        blocks.append(block_stats)
    x, last = conv_norm(params["last"], stats["last"], x, act=jax.nn.silu, train=train)
    x = layers.dropout(x.mean((1, 2)), dropout, key, train)
    return linear(params["head"]["linear"], x), {"stem": stem, "blocks": blocks, "last": last}
