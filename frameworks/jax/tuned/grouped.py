"""Grouped convolution as convolutions of the groups, shifted maps, or products of patches.

On a CPU the gradient of XLA's grouped convolution takes as long as a dense one's, and longer the more groups there
are (jax#13800).
"""

import functools
import math
from functools import reduce
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .shifts import Geometry, padded, row, rows, unravelled


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


def separate_gradient(
    x: jax.Array,
    dy: jax.Array,
    kernel: tuple[int, ...],
    geometry: Geometry,
    groups: int,
    precision: Any,
    preferred_element_type: Any,
) -> jax.Array:
    """``[*kernel, c_in / groups, c_out]`` of maps ``x [n, *spatial, c_in]`` and ``dy [n, *spatial', c_out]``."""
    x, dy = (a.astype(preferred_element_type or a.dtype) for a in (x, dy))
    shape = jax.ShapeDtypeStruct((*kernel, x.shape[-1] // groups, dy.shape[-1]), x.dtype)
    linear = functools.partial(separate, x, geometry=geometry, groups=groups, precision=precision)
    return jax.linear_transpose(linear, shape)(dy)[0]


def shifted(x: jax.Array, kernel: jax.Array, geometry: Geometry, groups: int) -> jax.Array:
    """The map shifted by each tap, and each channel of a group times the tap's weights for the outputs of the group."""
    x, taps, inputs = padded(x, geometry.padding, geometry.between), kernel.shape[:-2], kernel.shape[-2]
    still = geometry._replace(padding=((0, 0),) * len(taps), between=(0,) * len(taps))
    size = still.output(x.shape[1:-1], taps)
    weights = kernel.reshape(-1, taps[-1], inputs, groups, kernel.shape[-1] // groups)
    views = rows(x.reshape(*x.shape[:-1], groups, inputs, 1), taps, size, geometry)

    def summed(line: list[jax.Array], weights: jax.Array) -> jax.Array:
        pairs = zip(line, weights, strict=True)
        return reduce(jnp.add, (view[..., i, :] * tap[i] for view, tap in pairs for i in range(inputs)))

    sums = map(summed, views, weights)
    return reduce(jnp.add, sums).reshape(-1, *size, kernel.shape[-1])


def kernel_gradient(
    x: jax.Array, dy: jax.Array, kernel: tuple[int, ...], geometry: Geometry, groups: int, **options: Any
) -> jax.Array:
    """``[*kernel, c_in / groups, c_out]`` of maps ``x [n, *spatial, c_in]`` and ``dy [n, *spatial', c_out]``.

    A product of matrices for each group: the patches of all positions times ``dy``. The patches of a group are as many
    maps as the kernel has taps, so that a loop goes over the groups, and within over the rows of a large kernel.
    """
    x, lines = padded(x, geometry.padding, geometry.between), kernel[:-1]
    inputs, outputs = (a.shape[-1] // groups for a in (x, dy))

    def channels(a: jax.Array, group: Any, size: int) -> jax.Array:
        return lax.optimization_barrier(lax.dynamic_slice_in_dim(a, group * size, size, a.ndim - 1))

    def one(group: Any) -> jax.Array:
        x_group, dy_group = channels(x, group, inputs), channels(dy, group, outputs)

        def some(taps: list[tuple[Any, ...]]) -> jax.Array:
            views = [view for line in taps for view in row(x_group, line, kernel[-1], dy.shape[1:-1], geometry)]
            # Written once: the product would have them computed for each of its tiles.
            patches = lax.optimization_barrier(jnp.concatenate(views, axis=-1))
            axes = tuple(range(dy.ndim - 1))
            return lax.dot_general(patches, dy_group, ((axes, axes), ((), ())), **options)

        if math.prod(kernel) <= groups:
            return some(list(product(*map(range, lines))))
        return lax.map(lambda i: some([unravelled(i, lines)]), jnp.arange(math.prod(lines)))

    y = lax.map(one, jnp.arange(groups)).reshape(groups, -1, outputs)  # [groups, taps * c_in / groups, c_out / groups]
    return jnp.moveaxis(y, 0, 1).reshape(*kernel, inputs, dy.shape[-1])
