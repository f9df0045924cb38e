"""Convolutions that are faster than XLA's own, and the same: drop-in functions, NHWC and HWIO; a file a device.

Forms and where each is used were chosen by measurements on CPUs with AVX-512; on any other device all of them are
`lax.conv_general_dilated`. A standard convolution stays what it is everywhere.
"""

from frameworks.jax.tuned.cpu import conv_general_dilated, tuned
from frameworks.jax.tuned.depthwise import depthwise_conv
from frameworks.jax.tuned.grouped import grouped_conv
from frameworks.jax.tuned.pointwise import pointwise_conv

__all__ = ["FORMS", "conv_general_dilated", "depthwise_conv", "grouped_conv", "pointwise_conv", "tuned"]

# By device, as JAX names its platform: what makes a function a tuned one.
FORMS = {"cpu": tuned}
