"""GhostNet and its bottleneck in Flax."""

import jax
from flax import nnx

from common.layers.values import Pair
from frameworks.flax.blocks.ghost import GhostModule
from frameworks.flax.blocks.inverted import SqueezeExcite
from frameworks.flax.blocks.residual import ConvNorm

# Kernel, hidden and output channels, whether there is squeeze-excite, and stride.
BLOCKS = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    *[(3, 184, 80, False, 1)] * 2,
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    *[(5, 960, 160, False, 1), (5, 960, 160, True, 1)] * 2,
)


def divisible(channels: float) -> int:
    """The nearest multiple of 4 that is at least 4 and at least 0.9 ``channels``."""
    rounded = max(4, int(channels + 2) // 4 * 4)
    return rounded + 4 if rounded < 0.9 * channels else rounded


class Shortcut(nnx.Module):
    """Depthwise and 1 x 1 convolution with norms, for a shortcut between maps of different shapes."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Pair, stride: Pair, *, rngs: nnx.Rngs) -> None:
        self.depthwise = ConvNorm(in_channels, in_channels, kernel_size, stride, groups=in_channels, rngs=rngs)
        self.pointwise = ConvNorm(in_channels, out_channels, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.pointwise(self.depthwise(x))


class GhostBottleneck(nnx.Module):
    """A ghost module to ``hidden`` channels and one to ``out_channels``, beside a shortcut; NHWC.

    Porting notes: the second ghost module has no ReLU, and none follows the sum. The ghost modules concatenate and
    slice the last axis. The shortcut is depthwise, then 1 x 1, and has no activation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        squeeze: int = 0,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        strided = stride != (1, 1)
        same = not strided and in_channels == out_channels
        depthwise = hidden, hidden, kernel_size, stride
        self.expand = GhostModule(in_channels, hidden, rngs=rngs)
        self.depthwise = ConvNorm(*depthwise, groups=hidden, rngs=rngs) if strided else nnx.identity
        self.squeeze = SqueezeExcite(hidden, squeeze, "relu", "hardsigmoid", rngs=rngs) if squeeze else nnx.identity
        self.project = GhostModule(hidden, out_channels, relu=False, rngs=rngs)
        self.shortcut = nnx.identity if same else Shortcut(in_channels, out_channels, kernel_size, stride, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.squeeze(self.depthwise(self.expand(x)))
        return self.project(y) + self.shortcut(x)


class Head(nnx.Module):
    """Mean over the map, a 1 x 1 convolution and ReLU, dropout, then the logits."""

    def __init__(self, channels: int, features: int, classes: int, dropout: float, *, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(channels, features, (1, 1), rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.linear = nnx.Linear(features, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.relu(self.conv(x.mean((1, 2), keepdims=True)))
        return self.linear(self.dropout(x[:, 0, 0]))


class GhostNet(nnx.Module):
    """GhostNet: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: squeeze widths are a quarter of the hidden channels, rounded to multiples of 4. The 1 x 1 convolution
    after the pool could as well be a linear layer; its kernel would then be ``[in, out]``, without the first two axes.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        blocks: int = 16,
        features: int = 1280,
        dropout: float = 0.2,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        channels, hidden, layers = divisible(16 * width), 0, []
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nnx.relu, rngs=rngs)
        for kernel, hidden, out, squeezed, stride in BLOCKS[:blocks]:
            hidden, out = divisible(hidden * width), divisible(out * width)
            sizes = channels, out, hidden, (kernel, kernel), (stride, stride)
            layers.append(GhostBottleneck(*sizes, divisible(hidden / 4) if squeezed else 0, rngs=rngs))
            channels = out
        self.blocks = nnx.List(layers)
        self.last = ConvNorm(channels, hidden, act=nnx.relu, rngs=rngs)
        self.head = Head(hidden, features, classes, dropout, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.last(x))
