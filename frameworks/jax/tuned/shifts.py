"""What the tuned convolutions are made of: a map padded once, and views of it shifted by a kernel's taps.

Maps are ``[n, *spatial, channels]`` and kernels ``[*spatial, c_in / groups, c_out]``, of any number of spatial axes.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

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


def row(x: jax.Array, taps: Sequence[Any], width: int, size: Sequence[int], geometry: Geometry) -> list[jax.Array]:
    """What the taps of a kernel's row see of a padded map at ``size`` positions: ``width`` views ``[n, *size, c]``.

    ``taps`` are the row's indices along the axes before the last, and may be traced, so that a loop goes over rows.
    """

    def view(x: jax.Array, axis: int, tap: Any) -> jax.Array:
        steps, reach = geometry.stride[axis], (size[axis] - 1) * geometry.stride[axis] + 1
        x = lax.dynamic_slice_in_dim(x, tap * geometry.dilation[axis], reach, axis + 1)
        return lax.slice_in_dim(x, 0, reach, steps, axis + 1)

    for axis, tap in enumerate(taps):
        x = view(x, axis, tap)
    return [view(x, len(taps), tap) for tap in range(width)]


def rows(x: jax.Array, kernel: Sequence[int], size: Sequence[int], geometry: Geometry) -> Iterator[list[jax.Array]]:
    """The `row` of every row of a kernel."""
    for taps in product(*map(range, kernel[:-1])):
        yield row(x, taps, kernel[-1], size, geometry)


def unravelled(index: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """The indices along axes of a running, traced one; also along no axis at all."""
    return tuple(jnp.unravel_index(index, tuple(shape))) if shape else ()
