"""What Flax's own functions lack: a LeakyReLU with the slope at 0, and a flatten in the order of NCHW."""

import jax
import jax.numpy as jnp


def leaky_relu(x: jax.Array, negative_slope: float) -> jax.Array:
    """``x`` where positive, ``negative_slope * x`` elsewhere; at 0 the gradient is the slope.

    `nnx.leaky_relu` has a gradient of 1 at 0, unlike torch and Paddle, which shows where a ReLU comes before.
    """
    return jnp.where(x > 0, x, negative_slope * x)


def flatten(x: jax.Array) -> jax.Array:
    """``[n, h, w, c] -> [n, c * h * w]``: channels first, as linear weights from NCHW expect (MMdnn#595)."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)
