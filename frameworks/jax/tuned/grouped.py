"""Grouped convolution as convolutions of the groups, shifted maps, or products of patches.

On a CPU the gradient of XLA's grouped convolution takes as long as a dense one's, and longer the more groups there
are (jax#13800).
"""

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from frameworks.jax.tuned import depthwise
from frameworks.jax.tuned.shifts import Geometry, padded, rows


def separate(x: jax.Array, kernel: jax.Array, geometry: Geometry, groups: int, **options: Any) -> jax.Array:
    """A convolution for each group."""
    spatial = "DHW"[-(x.ndim - 2) :]
    layout = (f"N{spatial}C", f"{spatial}IO", f"N{spatial}C")
    spread = tuple(zeros + 1 for zeros in geometry.between)

    def one(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(
            x, kernel, geometry.stride, geometry.padding, spread, geometry.dilation, layout, **options
        )

    pairs = zip(jnp.split(x, groups, axis=-1), jnp.split(kernel, groups, axis=-1), strict=True)
    return jnp.concatenate([one(x, kernel) for x, kernel in pairs], axis=-1)


def shifted(x: jax.Array, kernel: jax.Array, geometry: Geometry, groups: int) -> jax.Array:
    """A depthwise convolution for each of a group's input channels, with the outputs of its group; their sum."""
    by_group = x.reshape(*x.shape[:-1], groups, -1)
    parts = (depthwise.shifted(by_group[..., i], kernel[..., i : i + 1, :], geometry) for i in range(kernel.shape[-2]))
    return reduce(jnp.add, parts)


def kernel_gradient(
    x: jax.Array, dy: jax.Array, kernel: tuple[int, ...], geometry: Geometry, groups: int, **options: Any
) -> jax.Array:
    """``[*kernel, c_in / groups, c_out]`` of maps ``x [n, *spatial, c_in]`` and ``dy [n, *spatial', c_out]``.

    A product of matrices for each group: the patches of all positions times ``dy``. The patches of a group are as many
    maps as the kernel has taps, so that a loop goes over the groups, and the patches of one are there at a time.
    """
    x = padded(x, geometry.padding, geometry.between)
    parts = [jnp.moveaxis(a.reshape(*a.shape[:-1], groups, -1), -2, 0) for a in (x, dy)]

    def one(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        x, dy = pair
        views = [view for row in rows(x, kernel, dy.shape[1:-1], geometry) for view in row]
        # Written once: the product would have them computed for each of its tiles.
        patches = lax.optimization_barrier(jnp.concatenate(views, axis=-1))
        axes = tuple(range(dy.ndim - 1))
        return lax.dot_general(patches, dy, ((axes, axes), ((), ())), **options)

    y = lax.map(one, tuple(parts))  # [groups, taps * c_in / groups, c_out / groups]
    return jnp.moveaxis(y, 0, 1).reshape(*kernel, x.shape[-1] // groups, dy.shape[-1])
