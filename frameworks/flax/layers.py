"""What Flax's functions lack: a flatten in the order of NCHW, and the channel shuffle."""

import jax


def flatten(x: jax.Array) -> jax.Array:
    """``[n, h, w, c] -> [n, c * h * w]``: channels first, as linear weights from NCHW expect (MMdnn#595)."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def channel_shuffle(x: jax.Array, groups: int) -> jax.Array:
    """Takes one channel of each of ``groups`` runs of ``[n, h, w, c]`` in turn."""
    *pixels, c = x.shape
    return x.reshape(*pixels, groups, c // groups).swapaxes(-1, -2).reshape(x.shape)
