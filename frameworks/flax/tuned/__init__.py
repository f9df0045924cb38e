"""The fastest forms of a module that were found for Flax, a file a device; NHWC."""

from .cpu import DepthwiseConv, conv_general_dilated, tuned

__all__ = ["FORMS", "DepthwiseConv", "conv_general_dilated", "tuned"]

# By device, as JAX names its platform: what makes a module a tuned one.
FORMS = {"cpu": tuned}
