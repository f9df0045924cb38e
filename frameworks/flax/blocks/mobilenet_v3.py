"""MobileNetV3 in Flax."""

from typing import Any

import jax
from flax import nnx

from frameworks.flax.blocks.inverted import InvertedResidual, divisible
from frameworks.flax.blocks.residual import ConvNorm

# Kernel, hidden and output channels, squeeze-excite, activation and stride.
SMALL = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (5, 240, 40, True, "hardswish", 1),
    (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1),
    (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1),
    (5, 576, 96, True, "hardswish", 1),
)
LARGE = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2),
    (3, 200, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 480, 112, True, "hardswish", 1),
    (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2),
    (5, 960, 160, True, "hardswish", 1),
    (5, 960, 160, True, "hardswish", 1),
)


class Classifier(nnx.Module):
    """Mean over the map, a hidden layer with Hardswish, dropout, then the logits."""

    def __init__(self, channels: int, features: int, classes: int, dropout: float, *, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(channels, features, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.linear = nnx.Linear(features, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.hard_swish(self.hidden(x.mean((1, 2))))
        return self.linear(self.dropout(x))


class MobileNetV3(nnx.Module):
    """MobileNetV3, large or small: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: torchvision's norms have eps 1e-3 and momentum 0.01, which is ``momentum=0.99`` here, Flax's default.
    In Keras the first linear layer of the head is a 1 x 1 convolution: its kernel has two more axes.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        large: bool = True,
        width: float = 1.0,
        blocks: int = 0,
        dropout: float = 0.2,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        rows, features = (LARGE, 1280) if large else (SMALL, 1024)
        channels, layers = divisible(16 * width), []
        norm: dict[str, Any] = {"eps": 1e-3, "momentum": 0.01}
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nnx.hard_swish, **norm, rngs=rngs)
        for kernel, hidden, out, squeezed, act, stride in rows[: blocks or None]:
            hidden, out = divisible(hidden * width), divisible(out * width)
            sizes = channels, out, hidden, (kernel, kernel), (stride, stride)
            squeeze = divisible(hidden // 4) if squeezed else 0
            layers.append(InvertedResidual(*sizes, act, squeeze, **norm, rngs=rngs))
            channels = out
        self.blocks = nnx.List(layers)
        self.last = ConvNorm(channels, 6 * channels, act=nnx.hard_swish, **norm, rngs=rngs)
        self.head = Classifier(6 * channels, divisible(features * width), classes, dropout, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.last(x))
