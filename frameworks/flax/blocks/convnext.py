"""ConvNeXt and its block in Flax."""

import jax
from flax import nnx

from common.layers.values import Depths, Pair
from frameworks.flax.layers import LayerScale

EPS = 1e-6


class ConvNeXtBlock(nnx.Module):
    """Depthwise convolution, layer norm, 1 x 1, GELU, 1 x 1, layer scale, beside a shortcut; NHWC.

    Porting notes: ``nnx.LayerNorm`` normalises the last axis, which is that of the channels: nothing is transposed.
    ``nnx.gelu`` is the approximation by tanh unless ``approximate=False``. A 1 x 1 convolution is ``nnx.Linear`` on
    NHWC: a source's linear kernel ``[in, out]`` is this kernel ``[1, 1, in, out]``.
    """

    def __init__(self, channels: int, kernel_size: Pair = (7, 7), expansion: int = 4, *, rngs: nnx.Rngs) -> None:
        self.depthwise = nnx.Conv(
            channels,
            channels,
            kernel_size,
            padding=(kernel_size[0] // 2, kernel_size[1] // 2),  # as in PyTorch, an int is for both sides
            feature_group_count=channels,
            rngs=rngs,
        )
        self.norm = nnx.LayerNorm(channels, epsilon=EPS, rngs=rngs)
        self.expand = nnx.Conv(channels, expansion * channels, (1, 1), rngs=rngs)
        self.reduce = nnx.Conv(expansion * channels, channels, (1, 1), rngs=rngs)
        self.scale = LayerScale(channels)

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.norm(self.depthwise(x))
        return self.scale(self.reduce(nnx.gelu(self.expand(y), approximate=False))) + x


class Patches(nnx.Module):
    """A convolution whose windows do not overlap, then a norm: ``[n, h, w, c] -> [n, h / size, w / size, c']``."""

    def __init__(self, in_channels: int, out_channels: int, size: int, *, rngs: nnx.Rngs) -> None:
        # "SAME", the default, would pad a map that `size` does not divide.
        sizes = (size, size), (size, size)
        self.conv = nnx.Conv(in_channels, out_channels, *sizes, padding="VALID", rngs=rngs)
        self.norm = nnx.LayerNorm(out_channels, epsilon=EPS, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.norm(self.conv(x))


class Downsample(nnx.Module):
    """A norm, then a 2 x 2 convolution of stride 2 that doubles the channels."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(channels, epsilon=EPS, rngs=rngs)
        self.conv = nnx.Conv(channels, 2 * channels, (2, 2), (2, 2), padding="VALID", rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.conv(self.norm(x))


class Head(nnx.Module):
    """Mean over the map, a norm, then the logits."""

    def __init__(self, channels: int, classes: int, *, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(channels, epsilon=EPS, rngs=rngs)
        self.linear = nnx.Linear(channels, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.linear(self.norm(x.mean((1, 2))))


class ConvNeXt(nnx.Module):
    """ConvNeXt: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: the norm of a downsampling comes before its convolution, that of the stem after it. Most ports number
    the blocks from 0 in each stage; here they are numbered through.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        depths: Depths = (3, 3, 9, 3),
        width: int = 96,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.stem = Patches(in_channels, width, 4, rngs=rngs)
        widths = [width * 2**stage for stage in range(len(depths))]
        self.downsamples = nnx.List([Downsample(channels, rngs=rngs) for channels in widths[:-1]])
        stages = zip(widths, depths, strict=True)
        self.blocks = nnx.List([ConvNeXtBlock(c, rngs=rngs) for c, depth in stages for _ in range(depth)])
        self.head = Head(widths[-1], classes, rngs=rngs)
        self.depths = depths

    def __call__(self, x: jax.Array) -> jax.Array:
        x, blocks = self.stem(x), iter(self.blocks)
        for stage, depth in enumerate(self.depths):
            if stage:
                x = self.downsamples[stage - 1](x)
            for _ in range(depth):
                x = next(blocks)(x)
        return self.head(x)
