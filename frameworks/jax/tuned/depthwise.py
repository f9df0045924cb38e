"""Depthwise convolution by shifting, multiplying and adding.

XLA runs a depthwise convolution on one thread of a CPU, an output at a time (jax#23713). The same sum, written as the
map shifted by each tap and multiplied by that tap's weights, is elementwise work, which XLA fuses, vectorises over
the channels and shares among the threads. The gradient by the input is such a convolution too, and the gradient by the
kernel a sum over shifted maps.
"""

import math
from functools import reduce

import jax
import jax.numpy as jnp
from jax import lax

from .shifts import Geometry, padded, row, rows

# A sum of few products, which XLA seems to unroll and so to vectorise over the channels, is two to three times as fast
# as one over a whole row of a wide map. A row of up to SHORT pixels is summed at once, a longer one in pieces of PIECE
# or fewer; for all taps of a kernel together up to UNROLLED products, else for those of each of its rows.
SHORT, PIECE, UNROLLED = 16, 8, 72


def shifted(x: jax.Array, kernel: jax.Array, geometry: Geometry) -> jax.Array:
    """``[n, *spatial, c] -> [n, *spatial', c * multiplier]`` with a kernel ``[*spatial, 1, c * multiplier]``."""
    # Output channel m reads input channel m // multiplier.
    x = padded(jnp.repeat(x, kernel.shape[-1] // x.shape[-1], axis=-1), geometry.padding, geometry.between)
    taps = kernel.shape[:-2]
    size = geometry._replace(padding=((0, 0),) * len(taps), between=(0,) * len(taps)).output(x.shape[1:-1], taps)
    weights = kernel.reshape(-1, taps[-1], kernel.shape[-1])
    # The sum over a row of the kernel first, then over the rows: the fastest order for large ones.
    views = zip(rows(x, taps, size, geometry), weights, strict=True)
    return reduce(jnp.add, (reduce(jnp.add, map(jnp.multiply, row, row_weights)) for row, row_weights in views))


def kernel_gradient(x: jax.Array, dy: jax.Array, kernel: tuple[int, ...], geometry: Geometry) -> jax.Array:
    """``[*kernel, 1, c]`` of maps ``x [n, *spatial, c]`` and ``dy [n, *spatial', c]``."""
    width = dy.shape[-2]
    pieces = 1 if width <= SHORT else -(-width // PIECE)
    length = -(-width // pieces)
    more = pieces * length - width
    dy = jnp.pad(dy, (*((0, 0),) * (dy.ndim - 2), (0, more), (0, 0)))
    *others, (left, right) = geometry.padding
    x = padded(x, (*others, (left, right + more * geometry.stride[-1])), geometry.between)

    def piecewise(view: jax.Array) -> jax.Array:
        return view.reshape(*view.shape[:-2], pieces, length, view.shape[-1])

    def sums(views: list[jax.Array]) -> list[jax.Array]:
        """One reduction over the pieces for several taps, so that ``dy`` is read once; then over all that is left."""
        products = tuple(piecewise(view) * piecewise(dy) for view in views)
        zeros = (jnp.zeros((), x.dtype),) * len(views)
        partial = lax.reduce(products, zeros, lambda a, b: tuple(map(lax.add, a, b)), (dy.ndim - 1,))
        return [taps.sum(tuple(range(taps.ndim - 1))) for taps in partial]

    size, lines = dy.shape[1:-1], kernel[:-1]
    if math.prod(kernel) * length <= UNROLLED:
        taps = jnp.stack(sums([view for line in rows(x, kernel, size, geometry) for view in line]))
    else:  # one row after the other, so that the sums of one are there at a time
        every = (
            jnp.stack(jnp.unravel_index(jnp.arange(math.prod(lines)), lines), 1) if lines else jnp.zeros((1, 0), int)
        )
        taps = lax.map(lambda line: jnp.stack(sums(row(x, tuple(line), kernel[-1], size, geometry))), every)
    return taps.reshape(*kernel, 1, dy.shape[-1])
