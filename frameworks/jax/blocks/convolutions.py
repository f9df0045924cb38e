"""The four plain convolutions in JAX: one primitive with different kernel shapes and ``groups``."""

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

    Porting notes: the kernel is HWIO; transpose an OIHW one by (2, 3, 1, 0). ``lax`` has no bias: add it. ``padding``
    may be "SAME" or "VALID", but with stride 2 "SAME" pads an even size at the bottom and right only (flax#2993). Pairs
    ``((top, bottom), (left, right))`` mean the same at every stride and size.
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

    Porting notes: the kernel is ``[kh, kw, in / groups, out]``. ``groups`` is ``feature_group_count``;
    ``batch_group_count`` is something else. On a CPU the gradient is as slow as that of a full convolution (jax#13800).
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

    Porting notes: the kernel is ``[kh, kw, 1, C * multiplier]``, not TensorFlow's ``[kh, kw, C, multiplier]``. On a CPU
    it is slow: ``lax`` runs it on one thread (jax#23713).
    """
    return conv2d(params["conv"], x, stride, padding, dilation, groups=x.shape[-1]), stats


def pointwise_conv(
    params: Tree, stats: Tree, x: jax.Array, *, stride: Pair = (1, 1), train: bool = False
) -> tuple[jax.Array, Tree]:
    """A 1 x 1 convolution; NHWC.

    Porting notes: in NHWC it is a matrix product over the last axis, ``x @ kernel[0, 0]``, which XLA may run faster.
    """
    return conv2d(params["conv"], x, stride), stats
