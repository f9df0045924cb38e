"""Pointwise convolution as a product of matrices; NHWC."""

import jax

from frameworks.jax.tuned.shifts import Pair, better, native

STILL = ((0, 0), (0, 0))


def pointwise_conv(x: jax.Array, kernel: jax.Array, stride: Pair = (1, 1)) -> jax.Array:
    """``[n, h, w, c_in] -> [n, h', w', c_out]`` with a kernel ``[1, 1, c_in, c_out]``, for CPUs.

    Equal to ``lax.conv_general_dilated`` but for rounding, for inference and training (its gradients are products of
    matrices too), and replaced by it on any other device.
    """
    if kernel.shape[:2] != (1, 1) or not better(x, kernel, stride, STILL, (1, 1)):
        return native(x, kernel, stride, STILL, (1, 1))
    seen = x[:, :: stride[0], :: stride[1]]
    return (seen.reshape(-1, x.shape[3]) @ kernel[0, 0]).reshape(*seen.shape[:3], -1)
