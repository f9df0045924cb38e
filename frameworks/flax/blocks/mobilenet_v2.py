"""MobileNetV2 in Flax."""

import jax
from flax import nnx

from common.layers.values import Depths
from frameworks.flax.blocks.inverted import InvertedResidual, divisible
from frameworks.flax.blocks.residual import ConvNorm

# Expansion, output channels and stride of each stage.
STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 2), (6, 64, 2), (6, 96, 1), (6, 160, 2), (6, 320, 1))


class Head(nnx.Module):
    """Mean over the map, dropout, then the logits."""

    def __init__(self, channels: int, classes: int, dropout: float, *, rngs: nnx.Rngs) -> None:
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.linear = nnx.Linear(channels, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.linear(self.dropout(x.mean((1, 2))))


class MobileNetV2(nnx.Module):
    """MobileNetV2: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: weights from TensorFlow want "SAME" padding, which at stride 2 pads an even size at the bottom and
    right only, and norms with eps 1e-3; those from PyTorch want ``padding=1`` and 1e-5. The arrays have the same
    shapes.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        depths: Depths = (1, 2, 3, 4, 3, 3, 1),
        features: int = 1280,
        dropout: float = 0.2,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        channels, blocks = divisible(32 * width), []
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nnx.relu6, rngs=rngs)
        for depth, (expansion, out, first) in zip(depths, STAGES, strict=False):
            out = divisible(out * width)
            for stride in (first, *[1] * (depth - 1)):
                sizes = channels, out, channels * expansion
                blocks.append(InvertedResidual(*sizes, stride=(stride, stride), rngs=rngs))
                channels = out
        self.blocks = nnx.List(blocks)
        last = divisible(features * max(1.0, width))
        self.last = ConvNorm(channels, last, act=nnx.relu6, rngs=rngs)
        self.head = Head(last, classes, dropout, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.last(x))
