"""The layers of plain JAX blocks: functions of (arrays, NHWC activations), without hidden state.

``params`` holds what is trained, ``stats`` the running statistics, both dicts of one layer's arrays.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from common.layers.values import Padding, Pair

Tree = Any  # nested dicts and lists of arrays


def conv2d(
    params: Tree,
    x: jax.Array,
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> jax.Array:
    """``[n, h, w, c_in] -> [n, h', w', c_out]`` with a kernel ``[kh, kw, c_in / groups, c_out]`` and maybe a bias."""
    y = lax.conv_general_dilated(
        x,
        params["kernel"],
        window_strides=stride,
        padding=padding,
        rhs_dilation=dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    return y + params["bias"] if "bias" in params else y


def batch_norm(
    params: Tree, stats: Tree, x: jax.Array, eps: float = 1e-5, momentum: float = 0.1, train: bool = False
) -> tuple[jax.Array, Tree]:
    """Normalises ``[n, h, w, c]`` over n, h and w; returns the output and the statistics to use next.

    ``momentum`` is the weight of the new value; the running variance averages the biased batch variance.
    """
    mean = x.mean((0, 1, 2)) if train else stats["mean"]
    centred = x - mean
    # Not `x.var`, which computes the mean again: the gradient of this form is faster.
    var = jnp.square(centred).mean((0, 1, 2)) if train else stats["var"]
    if train:
        stats = {
            "mean": (1 - momentum) * stats["mean"] + momentum * mean,
            "var": (1 - momentum) * stats["var"] + momentum * var,
        }
    factor = lax.rsqrt(var + eps)
    return (centred * (factor * params["scale"]) + params["bias"] if params else centred * factor), stats


def group_norm(params: Tree, x: jax.Array, groups: int, eps: float = 1e-5) -> jax.Array:
    """Normalises each of ``groups`` runs of channels of ``[n, h, w, c]`` over its channels and pixels."""
    n, h, w, c = x.shape
    runs = x.reshape(n, h, w, groups, c // groups)
    centred = runs - runs.mean((1, 2, 4), keepdims=True)
    factor = lax.rsqrt(jnp.square(centred).mean((1, 2, 4), keepdims=True) + eps)
    y = (centred * factor).reshape(x.shape)
    return y * params["scale"] + params["bias"] if params else y


def layer_norm(params: Tree, x: jax.Array, eps: float = 1e-5) -> jax.Array:
    """Normalises each pixel of ``[n, h, w, c]`` over its channels."""
    centred = x - x.mean(-1, keepdims=True)
    y = centred * lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + eps)
    return y * params["scale"] + params["bias"] if params else y


def layer_scale(params: Tree, x: jax.Array) -> jax.Array:
    """Multiplies each channel of ``[n, h, w, c]`` by its trained factor."""
    return x * params["scale"]


def channel_shuffle(x: jax.Array, groups: int) -> jax.Array:
    """Takes one channel of each of ``groups`` runs of ``[n, h, w, c]`` in turn."""
    *pixels, c = x.shape
    return x.reshape(*pixels, groups, c // groups).swapaxes(-1, -2).reshape(x.shape)


def avg_pool(x: jax.Array, window: Pair) -> jax.Array:
    """Means of ``[n, h, w, c]`` over windows that do not overlap."""
    size = (1, *window, 1)
    return lax.reduce_window(x, 0.0, lax.add, size, size, "VALID") / (window[0] * window[1])


def flatten(x: jax.Array) -> jax.Array:
    """``[n, h, w, c] -> [n, c * h * w]``: channels first, as linear weights from NCHW expect (MMdnn#595)."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def dropout(x: jax.Array, rate: float, key: jax.Array | None, train: bool) -> jax.Array:
    """Zeroes a share ``rate`` and scales the rest by 1 / (1 - rate); the identity in evaluation."""
    if not train or rate == 0:
        return x
    if key is None:
        raise ValueError("dropout in training needs a PRNG `key`")
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def linear(params: Tree, x: jax.Array) -> jax.Array:
    """``[n, in] -> [n, out]`` with a kernel ``[in, out]``."""
    return x @ params["kernel"] + params["bias"]
