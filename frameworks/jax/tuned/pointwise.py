"""Pointwise convolution as a product of matrices."""

from typing import Any

import jax
from jax import lax

from .shifts import Geometry


def product(x: jax.Array, kernel: jax.Array, geometry: Geometry, **options: Any) -> jax.Array:
    """``[n, *spatial, c_in] -> [n, *spatial', c_out]`` with a kernel ``[1, ..., 1, c_in, c_out]``."""
    axes = x.ndim - 2
    plain = not any(map(any, geometry.padding)) and not any(geometry.between)
    steps = (1, *geometry.stride, 1)
    if plain:
        x = lax.slice(x, (0,) * x.ndim, x.shape, steps)
    y = lax.dot_general(x, kernel.reshape(kernel.shape[-2:]), (((axes + 1,), (0,)), ((), ())), **options)
    if plain:
        return y
    # What is around and between the pixels is zero in the output too.
    config = [(*pads, zeros) for pads, zeros in zip(geometry.padding, geometry.between, strict=True)]
    y = lax.pad(y, lax.full_like(y, 0, shape=()), [(0, 0, 0), *config, (0, 0, 0)])
    return lax.slice(y, (0,) * y.ndim, y.shape, steps)


def kernel_gradient(x: jax.Array, dy: jax.Array, geometry: Geometry, **options: Any) -> jax.Array:
    """``[1, ..., 1, c_in, c_out]`` of maps ``x [n, *spatial, c_in]`` and ``dy [n, *spatial', c_out]``."""
    seen = lax.slice(x, (0,) * x.ndim, x.shape, (1, *geometry.stride, 1))
    axes = tuple(range(x.ndim - 1))
    y = lax.dot_general(seen, dy, ((axes, axes), ((), ())), **options)
    return y.reshape(*(1,) * (x.ndim - 2), *y.shape)
