"""What Flax lacks: a flatten in the order of NCHW, the channel shuffle, and layer scale."""

import jax
import jax.numpy as jnp
from flax import nnx


def flatten(x: jax.Array) -> jax.Array:
    """``[n, h, w, c] -> [n, c * h * w]``: channels first, as linear weights from NCHW expect (MMdnn#595)."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def channel_shuffle(x: jax.Array, groups: int) -> jax.Array:
    """Takes one channel of each of ``groups`` runs of ``[n, h, w, c]`` in turn."""
    *pixels, c = x.shape
    return x.reshape(*pixels, groups, c // groups).swapaxes(-1, -2).reshape(x.shape)


class LayerScale(nnx.Module):
    """A trained factor for each channel of an NHWC map, which starts at ``value``."""

    def __init__(self, channels: int, value: float = 1e-6) -> None:
        self.scale = nnx.Param(jnp.full((channels,), value))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x * self.scale[...]
