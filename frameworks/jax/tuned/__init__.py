"""Convolutions that are faster than XLA's own, and the same function: a file a device.

`tuned` makes any function use them, and `explain` says where. Forms and where each is used were chosen by measurements
on CPUs with AVX-512; for any other device a program keeps `lax.conv_general_dilated`. A standard convolution stays what
it is everywhere.
"""

from .explained import Explained, explain
from .functions import conv_general_dilated, depthwise_conv, grouped_conv, pointwise_conv, tuned

__all__ = [
    "FORMS",
    "Explained",
    "conv_general_dilated",
    "depthwise_conv",
    "explain",
    "grouped_conv",
    "pointwise_conv",
    "tuned",
]

# By device, as JAX names its platform: what makes a function a tuned one.
FORMS = {"cpu": tuned}
