"""The standard and the separable stack in Flax."""

import jax
from flax import nnx

from frameworks.flax.blocks.separable import ConvBnAct


class ConvStack(nnx.Module):
    """``depth`` times: 3 x 3 convolution without bias, norm, LeakyReLU; NHWC.

    Porting notes: ``nnx.Sequential`` keeps its children in an attribute ``layers``, so their paths would be
    ``blocks.layers.0``. ``nnx.List`` gives ``blocks.0``, as in PyTorch. Flax refuses a plain list.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 128,
        depth: int = 10,
        affine: bool = True,
        negative_slope: float = 0.01,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        inputs = [in_channels] + [width] * (depth - 1)
        self.blocks = nnx.List(
            ConvBnAct(channels, width, affine=affine, negative_slope=negative_slope, rngs=rngs) for channels in inputs
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        for block in self.blocks:
            x = block(x)
        return x


class SeparableBlock(nnx.Module):
    """3 x 3 depthwise convolution, pointwise convolution, norm, LeakyReLU; nothing between the convolutions."""

    def __init__(
        self, in_channels: int, out_channels: int, affine: bool, negative_slope: float, *, rngs: nnx.Rngs
    ) -> None:
        self.depthwise = nnx.Conv(
            in_channels, in_channels, (3, 3), padding=1, feature_group_count=in_channels, use_bias=False, rngs=rngs
        )
        self.pointwise = nnx.Conv(in_channels, out_channels, (1, 1), use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(out_channels, momentum=0.9, use_bias=affine, use_scale=affine, rngs=rngs)
        self.negative_slope = negative_slope

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.pointwise(self.depthwise(x))
        return nnx.leaky_relu(self.norm(x), self.negative_slope)


class SeparableStack(nnx.Module):
    """``depth`` separable blocks of ``width`` channels; NHWC.

    Porting notes: ``nnx.jit`` walks the whole module in Python at every call, which can take longer than the arithmetic
    of a deep block of small maps. To avoid most of that, call ``nnx.split`` once, and ``jax.jit`` a function that
    begins with ``nnx.merge``.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 128,
        depth: int = 10,
        affine: bool = True,
        negative_slope: float = 0.01,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        inputs = [in_channels] + [width] * (depth - 1)
        self.blocks = nnx.List(
            SeparableBlock(channels, width, affine, negative_slope, rngs=rngs) for channels in inputs
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        for block in self.blocks:
            x = block(x)
        return x
