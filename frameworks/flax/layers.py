"""What Flax's own functions lack: a flatten in the order of NCHW."""

import jax


def flatten(x: jax.Array) -> jax.Array:
    """``[n, h, w, c] -> [n, c * h * w]``: channels first, as linear weights from NCHW expect (MMdnn#595)."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)
