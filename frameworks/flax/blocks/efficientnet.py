"""EfficientNet in Flax."""

import jax
from flax import nnx

from common.layers.values import Depths
from frameworks.flax.blocks.inverted import InvertedResidual, divisible
from frameworks.flax.blocks.mobilenet_v2 import Head
from frameworks.flax.blocks.residual import ConvNorm

# Expansion, kernel, output channels and stride of each stage.
STAGES = ((1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 2), (6, 5, 112, 1), (6, 5, 192, 2), (6, 3, 320, 1))


class EfficientNet(nnx.Module):
    """EfficientNet-B0 to -B4: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: the squeeze width is a quarter of the block's *input*, unrounded; MobileNetV3's is of the expanded
    channels, and rounded. Weights from TensorFlow want "SAME" padding and norms with eps 1e-3.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        depths: Depths = (1, 2, 2, 3, 3, 4, 1),
        dropout: float = 0.2,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        channels, blocks = divisible(32 * width), []
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nnx.silu, rngs=rngs)
        for depth, (expansion, kernel, out, first) in zip(depths, STAGES, strict=False):
            out = divisible(out * width)
            for stride in (first, *[1] * (depth - 1)):
                sizes = channels, out, divisible(channels * expansion), (kernel, kernel), (stride, stride)
                blocks.append(InvertedResidual(*sizes, "silu", channels // 4, "silu", "sigmoid", rngs=rngs))
                channels = out
        self.blocks = nnx.List(blocks)
        self.last = ConvNorm(channels, 4 * channels, act=nnx.silu, rngs=rngs)
        self.head = Head(4 * channels, classes, dropout, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.last(x))
