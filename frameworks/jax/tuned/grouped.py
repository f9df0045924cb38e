"""Grouped convolution as convolutions of the groups, shifted maps, or products of patches; NHWC.

On a CPU the gradient of XLA's grouped convolution takes as long as a dense one's, and longer the more groups there
are (jax#13800).
"""

from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from frameworks.jax.tuned.depthwise import depthwise_conv
from frameworks.jax.tuned.shifts import Padding, Pair, better, native, padded, positions, rows

# Input channels a group. Up to FEW, shifted maps were the fastest forward, and above it separate convolutions; from
# ENOUGH on, the gradient of separate convolutions was the fastest, and below it that of patches. With jax 0.10.2 on two
# processors with AVX-512: 3x3, 64 to 256 channels on 28x28 and 56x56 pixels, 2 to 64 groups.
FEW, ENOUGH = 8, 32


def grouped_conv(
    x: jax.Array,
    kernel: jax.Array,
    groups: int,
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
) -> jax.Array:
    """``[n, h, w, c_in] -> [n, h', w', c_out]`` with a kernel ``[kh, kw, c_in / groups, c_out]``, for CPUs.

    Equal to ``lax.conv_general_dilated(..., feature_group_count=groups)`` but for rounding, for inference and training,
    and replaced by it on any other device. With as many groups as input channels it is `depthwise_conv`, and like that
    it has no forward-mode derivatives.
    """
    if groups == x.shape[-1]:
        return depthwise_conv(x, kernel, stride, padding, dilation)
    if groups == 1 or not better(x, kernel, stride, padding, dilation, groups):
        return native(x, kernel, stride, padding, dilation, groups)
    return _convolve(x, kernel, groups, stride, padding, dilation)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def _convolve(
    x: jax.Array, kernel: jax.Array, groups: int, stride: Pair, padding: Padding, dilation: Pair
) -> jax.Array:
    form = _shifted if kernel.shape[2] <= FEW else _separate
    return form(x, kernel, groups, stride, padding, dilation)


def _forward(x: jax.Array, kernel: jax.Array, *static: Any) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _convolve(x, kernel, *static), (x, kernel)


def _backward(
    groups: int, stride: Pair, padding: Padding, dilation: Pair, held: tuple[jax.Array, jax.Array], dy: jax.Array
) -> tuple[jax.Array, jax.Array]:
    form = _separate if held[1].shape[2] >= ENOUGH else _patches
    # Only what the gradient itself needs is computed: nothing reads the output of this second forward pass.
    _, pull = jax.vjp(lambda x, kernel: form(x, kernel, groups, stride, padding, dilation), *held)
    return pull(dy)


_convolve.defvjp(_forward, _backward)


def _separate(
    x: jax.Array, kernel: jax.Array, groups: int, stride: Pair, padding: Padding, dilation: Pair
) -> jax.Array:
    """A convolution for each group."""
    pairs = zip(jnp.split(x, groups, axis=3), jnp.split(kernel, groups, axis=3), strict=True)
    return jnp.concatenate([native(x, kernel, stride, padding, dilation) for x, kernel in pairs], axis=3)


def _shifted(x: jax.Array, kernel: jax.Array, groups: int, stride: Pair, padding: Padding, dilation: Pair) -> jax.Array:
    """A depthwise convolution for each of a group's input channels, with the outputs of its group; their sum."""
    by_group, outputs = x.reshape(*x.shape[:3], groups, -1), kernel.shape[3] // groups
    channels = (jnp.repeat(by_group[..., i], outputs, axis=3) for i in range(kernel.shape[2]))
    parts = (depthwise_conv(x, kernel[:, :, i : i + 1], stride, padding, dilation) for i, x in enumerate(channels))
    return reduce(jnp.add, parts)


def _patches(x: jax.Array, kernel: jax.Array, groups: int, stride: Pair, padding: Padding, dilation: Pair) -> jax.Array:
    """A product of matrices for each group: every position's patch of it times its kernel."""
    kh, kw, inputs, outputs = kernel.shape
    x = padded(jnp.moveaxis(x.reshape(*x.shape[:3], groups, inputs), 3, 0).reshape(-1, *x.shape[1:3], inputs), padding)
    h, w = (positions(x.shape[i + 1], kernel.shape[i], stride[i], dilation[i]) for i in (0, 1))
    views = [view for row in rows(x, (kh, kw), (h, w), stride, dilation) for view in row]
    # Written once: the product would have them computed for each of its tiles.
    patches = lax.optimization_barrier(jnp.concatenate(views, axis=3).reshape(groups, -1, kh * kw * inputs))
    y = jnp.einsum("gpi,igo->pgo", patches, kernel.reshape(kh * kw * inputs, groups, -1))
    return y.reshape(-1, h, w, outputs)
