"""MobileNetV3 in JAX."""

import jax

from frameworks.jax import layers
from frameworks.jax.blocks.inverted import inverted_residual
from frameworks.jax.blocks.residual import conv_norm
from frameworks.jax.layers import Tree, linear

# Activation and stride of each block: the rest is in the shapes of the arrays.
SMALL = (("relu", 2), ("relu", 2), ("relu", 1), ("hardswish", 2), *[("hardswish", 1)] * 4, ("hardswish", 2))
SMALL = (*SMALL, *[("hardswish", 1)] * 2)
LARGE = (("relu", 1), ("relu", 2), ("relu", 1), ("relu", 2), *[("relu", 1)] * 2, ("hardswish", 2))
LARGE = (*LARGE, *[("hardswish", 1)] * 5, ("hardswish", 2), *[("hardswish", 1)] * 2)


def mobilenet_v3(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    large: bool = True,
    dropout: float = 0.2,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[jax.Array, Tree]:
    """MobileNetV3, large or small: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: widths, kernels and gates follow from the arrays; activations and strides do not. ``momentum`` is the
    weight of the new value in `batch_norm`: 0.01 of torchvision, 0.99 of Keras and Flax.
    """
    norm = {"eps": 1e-3, "momentum": 0.01, "train": train}
    x, stem = conv_norm(params["stem"], stats["stem"], x, stride=(2, 2), act=jax.nn.hard_swish, **norm)
    blocks = []
    rows = (LARGE if large else SMALL)[: len(params["blocks"])]
    for block, block_stats, (act, stride) in zip(params["blocks"], stats["blocks"], rows, strict=True):
        x, block_stats = inverted_residual(block, block_stats, x, stride=(stride, stride), act=act, **norm)
        blocks.append(block_stats)
    x, last = conv_norm(params["last"], stats["last"], x, act=jax.nn.hard_swish, **norm)
    x = jax.nn.hard_swish(linear(params["head"]["hidden"], x.mean((1, 2))))
    x = layers.dropout(x, dropout, key, train)
    return linear(params["head"]["linear"], x), {"stem": stem, "blocks": blocks, "last": last}
