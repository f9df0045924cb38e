"""What the tuned convolutions are made of: a map padded once, and views of it shifted by a kernel's taps; NHWC."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax import lax

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]  # ((top, bottom), (left, right))
DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def native(
    x: jax.Array, kernel: jax.Array, stride: Pair, padding: Padding, dilation: Pair, groups: int = 1
) -> jax.Array:
    """XLA's own convolution."""
    options = {"rhs_dilation": dilation, "dimension_numbers": DIMENSIONS, "feature_group_count": groups}
    return lax.conv_general_dilated(x, kernel, stride, padding, **options)


def better(x: jax.Array, kernel: jax.Array, stride: Pair, padding: Padding, dilation: Pair, groups: int = 1) -> bool:
    """Whether a tuned form may take the place of `native`: on a CPU, where they were measured, if there are pixels.

    Whatever XLA would refuse is left to it too, for its message.
    """
    fits = x.ndim == kernel.ndim == 4 and x.dtype == kernel.dtype and jnp.issubdtype(x.dtype, jnp.floating)
    if not fits or jax.default_backend() != "cpu" or x.shape[3] != kernel.shape[2] * groups or kernel.shape[3] % groups:
        return False
    sizes = [
        positions(length + sum(pads), k, s, d)
        for length, pads, k, s, d in zip(x.shape[1:3], padding, kernel.shape, stride, dilation, strict=False)
    ]
    return min(*x.shape, *kernel.shape, *sizes) > 0


def positions(length: int, kernel: int, stride: int, dilation: int) -> int:
    """How many of a kernel there are along a padded axis."""
    return (length - (kernel - 1) * dilation - 1) // stride + 1


def padded(x: jax.Array, padding: Padding, between: Pair = (0, 0)) -> jax.Array:
    """``[n, h, w, c]`` with zeros around and ``between`` its pixels; a negative number takes pixels off."""
    (top, bottom), (left, right) = padding
    config = ((0, 0, 0), (top, bottom, between[0]), (left, right, between[1]), (0, 0, 0))
    # Behind the barrier the padded map is written once; without it, XLA pads anew for every tap.
    return lax.optimization_barrier(lax.pad(x, jnp.zeros((), x.dtype), config))


def rows(x: jax.Array, kernel: Pair, size: Pair, stride: Pair, dilation: Pair) -> Iterator[list[jax.Array]]:
    """For each row of a kernel, what its taps see of a padded map at ``size`` positions: views ``[n, *size, c]``."""

    def view(x: jax.Array, axis: int, tap: int) -> jax.Array:
        start, steps = tap * dilation[axis], stride[axis]
        return lax.slice_in_dim(x, start, start + (size[axis] - 1) * steps + 1, steps, axis + 1)

    for i in range(kernel[0]):
        row = view(x, 0, i)
        yield [view(row, 1, j) for j in range(kernel[1])]
