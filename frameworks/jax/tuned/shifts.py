"""What the tuned convolutions are made of: a map padded once, and views of it shifted by a kernel's taps.

Maps are ``[n, *spatial, channels]`` and kernels ``[*spatial, c_in / groups, c_out]``, of any number of spatial axes.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]  # ((top, bottom), (left, right))
DIMENSIONS = ("NHWC", "HWIO", "NHWC")


class Geometry(NamedTuple):
    """How a kernel moves over a map: an entry for each spatial axis. ``between`` the pixels of the map are zeros."""

    stride: tuple[int, ...]
    padding: tuple[Pair, ...]
    between: tuple[int, ...]
    dilation: tuple[int, ...]

    def output(self, size: Sequence[int], kernel: Sequence[int]) -> tuple[int, ...]:
        """How many positions of a kernel there are along each axis."""
        spread = [(n - 1) * (zeros + 1) + 1 + sum(pads) for n, zeros, pads in zip(size, self[2], self[1], strict=True)]
        return tuple(
            (n - (k - 1) * d - 1) // s + 1
            for n, k, s, d in zip(spread, kernel, self.stride, self.dilation, strict=True)
        )


def padded(x: jax.Array, padding: Sequence[Pair], between: Sequence[int]) -> jax.Array:
    """``[n, *spatial, c]`` with zeros around and ``between`` its pixels; a negative number takes pixels off."""
    if not any(map(any, padding)) and not any(between):
        return x
    config = [(0, 0, 0), *((*pads, zeros) for pads, zeros in zip(padding, between, strict=True)), (0, 0, 0)]
    # Behind the barrier the padded map is written once; without it, XLA pads anew for every tap.
    return lax.optimization_barrier(lax.pad(x, jnp.zeros((), x.dtype), config))


def rows(x: jax.Array, kernel: Sequence[int], size: Sequence[int], geometry: Geometry) -> Iterator[list[jax.Array]]:
    """For each row of a kernel, what its taps see of a padded map at ``size`` positions: views ``[n, *size, c]``."""

    def view(x: jax.Array, axis: int, tap: int) -> jax.Array:
        start, steps = tap * geometry.dilation[axis], geometry.stride[axis]
        return lax.slice_in_dim(x, start, start + (size[axis] - 1) * steps + 1, steps, axis + 1)

    last = len(kernel) - 1
    for taps in product(*map(range, kernel[:last])):
        row = x
        for axis, tap in enumerate(taps):
            row = view(row, axis, tap)
        yield [view(row, last, tap) for tap in range(kernel[last])]
