"""ShuffleNetV2 and its unit in Flax."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from common.layers.values import Depths, Pair
from frameworks.flax.blocks.residual import ConvNorm
from frameworks.flax.blocks.resnet import Head
from frameworks.flax.layers import channel_shuffle

ONE: Any = ((1, 1), (1, 1))  # Flax annotates strings only


class Left(nnx.Module):
    """The first half of a unit that has a stride: depthwise and 1 x 1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, stride: Pair, *, rngs: nnx.Rngs) -> None:
        self.depthwise = ConvNorm(in_channels, in_channels, (3, 3), stride, groups=in_channels, rngs=rngs)
        self.pointwise = ConvNorm(in_channels, out_channels, act=nnx.relu, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.pointwise(self.depthwise(x))


class Right(nnx.Module):
    """The second half of a unit: 1 x 1, depthwise and 1 x 1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, stride: Pair, *, rngs: nnx.Rngs) -> None:
        self.reduce = ConvNorm(in_channels, out_channels, act=nnx.relu, rngs=rngs)
        self.depthwise = ConvNorm(out_channels, out_channels, (3, 3), stride, groups=out_channels, rngs=rngs)
        self.expand = ConvNorm(out_channels, out_channels, act=nnx.relu, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.expand(self.depthwise(self.reduce(x)))


class ShuffleUnit(nnx.Module):
    """Half of the channels pass, convolutions change the rest, then both are shuffled; NHWC.

    Porting notes: Flax has no channel shuffle. It is a reshape to ``[..., 2, c / 2]``, a transpose of the last two axes
    and a reshape back; on the axes of NCHW code it would shuffle pixels, and raise nothing.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1), *, rngs: nnx.Rngs) -> None:
        half, self.splits = out_channels // 2, stride == (1, 1)
        self.left = nnx.identity if self.splits else Left(in_channels, half, stride, rngs=rngs)
        self.right = Right(half if self.splits else in_channels, half, stride, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        kept, taken = jnp.split(x, 2, axis=-1) if self.splits else (x, x)
        return channel_shuffle(jnp.concatenate([self.left(kept), self.right(taken)], axis=-1), 2)


class ShuffleNetV2(nnx.Module):
    """ShuffleNetV2: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: "SAME" at stride 2 pads an even map at the bottom and right only, in the convolutions and in the pool
    (flax#2993). ``jnp.split`` takes the number of parts, and ``torch.split`` the size of a part.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: int = 116,
        depths: Depths = (4, 8, 4),
        features: int = 1024,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.stem = ConvNorm(in_channels, 24, (3, 3), (2, 2), nnx.relu, rngs=rngs)
        channels, blocks = 24, []
        for stage, depth in enumerate(depths):
            for i in range(depth):
                blocks.append(ShuffleUnit(channels, width * 2**stage, (1, 1) if i else (2, 2), rngs=rngs))
                channels = width * 2**stage
        self.blocks = nnx.List(blocks)
        self.last = ConvNorm(channels, features, act=nnx.relu, rngs=rngs)
        self.head = Head(features, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.max_pool(self.stem(x), (3, 3), (2, 2), ONE)
        for block in self.blocks:
            x = block(x)
        return self.head(self.last(x))
