"""The four plain convolutions in Flax: one class with different ``kernel_size`` and ``feature_group_count``."""

import jax
from flax import nnx

from common.layers.values import Padding, Pair


class StandardConv(nnx.Module):
    """A convolution in which every output channel reads every input channel; NHWC.

    Porting notes: the kernel is HWIO, ``[kh, kw, in, out]``, and is called ``kernel``. The default padding is "SAME";
    PyTorch's is none. The default initialisation is LeCun normal (truncated, variance 1 / fan in), and the bias starts
    at 0. ``kernel_size=3`` makes a kernel of one dimension, which runs along the width of an image only and raises
    nothing: write ``(3, 3)``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: Pair = (1, 1),
        bias: bool = True,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = nnx.Conv(
            in_channels,
            out_channels,
            kernel_size,
            strides=stride,
            padding=padding,
            kernel_dilation=dilation,
            use_bias=bias,
            rngs=rngs,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.conv(x)


class GroupedConv(nnx.Module):
    """A convolution in ``groups`` independent runs of channels; NHWC.

    Porting notes: the kernel is ``[kh, kw, in / groups, out]``. Group g reads input run g and writes output run g, as
    in PyTorch, so one transpose turns OIHW into HWIO for any ``groups``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        groups: int = 2,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: Pair = (1, 1),
        bias: bool = True,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = nnx.Conv(
            in_channels,
            out_channels,
            kernel_size,
            strides=stride,
            padding=padding,
            kernel_dilation=dilation,
            feature_group_count=groups,
            use_bias=bias,
            rngs=rngs,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.conv(x)


class DepthwiseConv(nnx.Module):
    """A convolution in which each channel has ``multiplier`` kernels of its own; NHWC.

    Porting notes: Flax has no class for it: ``feature_group_count=channels`` makes a convolution depthwise. Without
    that argument it is a full convolution, and nothing is raised. The kernel is ``[kh, kw, 1, channels * multiplier]``.
    On a CPU it is slow (flax#4207): with 128 channels on 56 x 56 pixels it took longer than the full convolution, which
    has 128 times its MACs.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((1, 1), (1, 1)),
        dilation: Pair = (1, 1),
        multiplier: int = 1,
        bias: bool = True,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = nnx.Conv(
            channels,
            channels * multiplier,
            kernel_size,
            strides=stride,
            padding=padding,
            kernel_dilation=dilation,
            feature_group_count=channels,
            use_bias=bias,
            rngs=rngs,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.conv(x)


class PointwiseConv(nnx.Module):
    """A 1 x 1 convolution; NHWC.

    Porting notes: the kernel ``[1, 1, in, out]`` is the kernel ``[in, out]`` of ``nnx.Linear`` with two more axes of
    length one. ``nnx.Linear`` acts on the last axis, so on NHWC it is a pointwise convolution of stride 1.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: Pair = (1, 1), bias: bool = True, *, rngs: nnx.Rngs
    ) -> None:
        # The default padding, "SAME", pads nothing for a kernel of one pixel, whatever the stride.
        self.conv = nnx.Conv(in_channels, out_channels, (1, 1), strides=stride, use_bias=bias, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.conv(x)
