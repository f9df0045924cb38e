"""SqueezeNet and its fire module in JAX."""

import jax
import jax.numpy as jnp
from jax import lax

from frameworks.jax import layers
from frameworks.jax.layers import Tree, conv2d


def max_pool(x: jax.Array) -> jax.Array:
    """The largest value of 3 x 3 windows, at every second pixel of ``[n, h, w, c]``, without padding."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "VALID")


def fire_module(params: Tree, stats: Tree, x: jax.Array, *, train: bool = False) -> tuple[jax.Array, Tree]:
    """1 x 1 to few channels, then 1 x 1 and 3 x 3 to more, concatenated; NHWC.

    Porting notes: channels are the last axis: concatenate on -1, 1 x 1 first. On axis 1, as in NCHW, the maps would
    stand below one another, and equal widths of both expansions let that pass. Without norms ``stats`` stays as it is.
    """
    x = jax.nn.relu(conv2d(params["squeeze"]["conv"], x))
    pixel = jax.nn.relu(conv2d(params["expand"]["conv"], x))
    spatial = jax.nn.relu(conv2d(params["expand3"]["conv"], x, padding=((1, 1), (1, 1))))
    return jnp.concatenate([pixel, spatial], axis=-1), stats


def squeezenet(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    dropout: float = 0.5,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[jax.Array, Tree]:
    """SqueezeNet 1.1: ``[n, h, w, c] -> [n, classes]``, logits that are not negative.

    Porting notes: the first convolution and the pools pad nothing: "VALID". torchvision pools with ``ceil_mode=True``,
    which takes what is left at the bottom and right: for inputs of 224 nothing is.
    """
    x = jax.nn.relu(conv2d(params["stem"]["conv"], x, (2, 2)))
    for number, block in enumerate(params["blocks"]):
        x, _ = fire_module(block, {}, max_pool(x) if number in (0, 2, 4) else x)
    x = layers.dropout(x, dropout, key, train)
    return jax.nn.relu(conv2d(params["head"]["conv"], x)).mean((1, 2)), stats
