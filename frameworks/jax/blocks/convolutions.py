"""The four plain convolutions in JAX: one primitive, told apart by the kernel's shape and ``groups``."""

import jax

from common.layers.values import Padding, Pair
from frameworks.jax.layers import Tree, conv2d


def standard_conv(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """A convolution in which every output channel reads every input channel; NHWC.

    Porting notes: the kernel is HWIO; transpose an OIHW one by (2, 3, 1, 0). ``lax`` has no bias: add it. The strings
    "SAME" and "VALID" exist, but "SAME" with stride 2 pads only right and bottom at even sizes (flax#2993); explicit
    pairs ``((top, bottom), (left, right))`` mean the same everywhere.
    """
    return conv2d(params["conv"], x, stride, padding, dilation), stats


def grouped_conv(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    groups: int = 2,
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """A convolution in ``groups`` independent runs of channels; NHWC.

    Porting notes: ``groups`` is ``feature_group_count``, and the kernel ``[kh, kw, in / groups, out]``. There is also
    ``batch_group_count``: not this. On a CPU its gradient is as slow as the dense one's (jax#13800).
    """
    return conv2d(params["conv"], x, stride, padding, dilation, groups), stats


def depthwise_conv(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = ((1, 1), (1, 1)),
    dilation: Pair = (1, 1),
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """A convolution in which each channel has kernels of its own; NHWC.

    Porting notes: the kernel is ``[kh, kw, 1, C * multiplier]``, not TensorFlow's ``[kh, kw, C, multiplier]``. On a
    CPU ``lax`` runs it on one thread and slowly (jax#23713).
    """
    return conv2d(params["conv"], x, stride, padding, dilation, groups=x.shape[-1]), stats


def pointwise_conv(
    params: Tree, stats: Tree, x: jax.Array, *, stride: Pair = (1, 1), train: bool = False
) -> tuple[jax.Array, Tree]:
    """A 1 x 1 convolution; NHWC.

    Porting notes: in NHWC it is a matrix product of the last axis, ``x @ kernel[0, 0]``, which XLA may do faster.
    """
    return conv2d(params["conv"], x, stride), stats
