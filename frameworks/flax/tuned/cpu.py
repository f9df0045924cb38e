"""Convolutions that are faster on a CPU than Flax's own, and the same; NHWC.

Flax's convolution layers take the function that convolves as an argument: they need no other. It is JAX's.
"""

from typing import Any

from flax import nnx

from ...jax.tuned import conv_general_dilated
from ...jax.tuned.shifts import Padding, Pair

__all__ = ["DepthwiseConv", "conv_general_dilated", "tuned"]


class DepthwiseConv(nnx.Conv):
    """``nnx.Conv(channels, channels * multiplier, feature_group_count=channels)``, for CPUs.

    ``[n, h, w, c] -> [n, h', w', c * multiplier]``, with the same parameters (``kernel`` is ``[kh, kw, 1, c *
    multiplier]``), so that either can read what the other has saved. See `depthwise_conv` of JAX's.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: Pair = (3, 3),
        strides: int | Pair = 1,
        *,
        padding: str | int | Padding = "SAME",
        multiplier: int = 1,
        rngs: nnx.Rngs,
        **options: Any,
    ) -> None:
        super().__init__(
            channels,
            channels * multiplier,
            kernel_size,
            strides,
            padding=padding,
            feature_group_count=channels,
            conv_general_dilated=conv_general_dilated,
            rngs=rngs,
            **options,
        )


def tuned(module: nnx.Module) -> nnx.Module:
    """Makes every ``nnx.Conv`` in a module a tuned one; the module itself, with the same variables."""
    for _, layer in nnx.iter_modules(module):
        if isinstance(layer, nnx.Conv):
            layer.conv_general_dilated = conv_general_dilated
    return module
