"""Convolution, norm and activation, and the depthwise-separable block, in Flax."""

import jax
from flax import nnx

from common.layers.values import Padding, Pair


class ConvBnAct(nnx.Module):
    """Convolution, batch normalisation, LeakyReLU; NHWC.

    Porting notes: ``momentum`` is the weight of the *old* value, 1 - PyTorch's, and 0.99 by default. The weight of the
    norm is called ``scale``. In training the running variance takes the *biased* batch variance, which is n / (n - 1)
    times smaller than PyTorch's. It is computed as E[x²] - E[x]², which loses digits where the mean is large;
    ``use_fast_variance=False`` avoids that. The statistics are ``nnx.BatchStat``: count parameters with
    ``nnx.state(module, nnx.Param)``. At exactly 0 the gradient of LeakyReLU is 1; in PyTorch it is the slope.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((1, 1), (1, 1)),
        dilation: Pair = (1, 1),
        groups: int = 1,
        bias: bool = False,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        negative_slope: float = 0.01,
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
        self.norm = nnx.BatchNorm(
            out_channels, momentum=1 - momentum, epsilon=eps, use_bias=affine, use_scale=affine, rngs=rngs
        )
        self.negative_slope = negative_slope

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.leaky_relu(self.norm(self.conv(x)), self.negative_slope)


class DepthwiseSeparable(nnx.Module):
    """Depthwise convolution, norm, LeakyReLU, pointwise convolution, norm, LeakyReLU; NHWC.

    Porting notes: with stride 2, set the padding in numbers. For a kernel of 3, "SAME" pads an even size by one at the
    bottom and right only; ``padding=1`` pads both sides, as in PyTorch. The shapes are the same, the values are not
    (flax#2993).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((1, 1), (1, 1)),
        dilation: Pair = (1, 1),
        bias: bool = True,
        affine: bool = True,
        negative_slope: float = 0.1,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.depthwise = ConvBnAct(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups=in_channels,
            bias=bias,
            affine=affine,
            negative_slope=negative_slope,
            rngs=rngs,
        )
        self.pointwise = ConvBnAct(
            in_channels,
            out_channels,
            kernel_size=(1, 1),
            padding=((0, 0), (0, 0)),
            bias=bias,
            affine=affine,
            negative_slope=negative_slope,
            rngs=rngs,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.depthwise(x)
        return self.pointwise(x)
