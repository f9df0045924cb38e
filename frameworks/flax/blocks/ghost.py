"""GhostNet's module in Flax."""

import math

import jax
import jax.numpy as jnp
from flax import nnx

from common.layers.values import Pair


class ConvBn(nnx.Module):
    """Convolution that keeps the size (apart from its stride), norm, and a ReLU if ``relu``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair,
        groups: int,
        relu: bool,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = nnx.Conv(
            in_channels,
            out_channels,
            kernel_size,
            strides=stride,
            padding=(kernel_size[0] // 2, kernel_size[1] // 2),  # as in PyTorch, an int is for both sides
            feature_group_count=groups,
            use_bias=False,
            rngs=rngs,
        )
        self.norm = nnx.BatchNorm(out_channels, momentum=0.9, rngs=rngs)
        self.act = nnx.relu if relu else nnx.identity

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.act(self.norm(self.conv(x)))


class GhostModule(nnx.Module):
    """``out_channels`` maps, 1/ratio of them from a convolution and the rest from cheap depthwise kernels; NHWC.

    Porting notes: channels are the last axis: concatenate on -1 and slice ``[..., :out_channels]``. The slice ``[:,
    :n]`` of NCHW code would cut the height and raise nothing. Output c of the cheap convolution reads primary map ``c
    // (ratio - 1)``, as in PyTorch.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (1, 1),
        cheap_kernel_size: Pair = (3, 3),
        ratio: int = 2,
        stride: Pair = (1, 1),
        relu: bool = True,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        maps = math.ceil(out_channels / ratio)
        self.out_channels = out_channels
        self.primary = ConvBn(in_channels, maps, kernel_size, stride, groups=1, relu=relu, rngs=rngs)
        self.cheap = ConvBn(maps, maps * (ratio - 1), cheap_kernel_size, (1, 1), groups=maps, relu=relu, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        primary = self.primary(x)
        cheap = self.cheap(primary)
        return jnp.concatenate([primary, cheap], axis=-1)[..., : self.out_channels]
