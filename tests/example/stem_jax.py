"""The same network as functions of arrays, for images with their channels last."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

MOMENTUM = 0.9  # of the old statistics; it is 0.1, of the new ones, in PyTorch


def init(key: jax.Array, classes: int = 10) -> tuple[Any, Any]:
    """Parameters and running statistics."""
    first, second = jax.random.split(key)
    params = {
        "conv": {"kernel": 0.1 * jax.random.normal(first, (3, 3, 3, 8))},
        "norm": {"scale": jnp.ones(8), "bias": jnp.zeros(8)},
        "head": {"kernel": 0.1 * jax.random.normal(second, (8, classes)), "bias": jnp.zeros(classes)},
    }
    return params, {"norm": {"mean": jnp.zeros(8), "var": jnp.ones(8)}}


def apply(params: Any, stats: Any, x: jax.Array, train: bool = False, eps: float = 1e-3) -> tuple[jax.Array, Any]:
    """Images (n, h, w, 3) to numbers for each class, and the statistics after it."""
    padding = ((1, 1), (1, 1))  # "SAME" would be another at stride 2
    numbers = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(x, params["conv"]["kernel"], (2, 2), padding, dimension_numbers=numbers)
    old = stats["norm"]
    mean, var = (y.mean((0, 1, 2)), y.var((0, 1, 2))) if train else (old["mean"], old["var"])
    y = (y - mean) * lax.rsqrt(var + eps) * params["norm"]["scale"] + params["norm"]["bias"]
    y = jax.nn.relu(y).mean((1, 2)) @ params["head"]["kernel"] + params["head"]["bias"]
    new = {"mean": MOMENTUM * old["mean"] + (1 - MOMENTUM) * mean, "var": MOMENTUM * old["var"] + (1 - MOMENTUM) * var}
    return y, {"norm": new} if train else stats
