"""SqueezeNet and its fire module in Flax."""

import jax
import jax.numpy as jnp
from flax import nnx

# Squeezed channels, and a quarter of those of each expansion, of the eight modules.
SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)


class ConvReLU(nnx.Module):
    """Convolution with bias, and ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        size = (kernel_size, kernel_size)  # an int would make a kernel of one dimension
        self.conv = nnx.Conv(in_channels, out_channels, size, strides=stride, padding=padding, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.relu(self.conv(x))


class FireModule(nnx.Module):
    """1 x 1 to ``squeeze`` channels, then 1 x 1 and 3 x 3 to ``expand`` and ``expand3`` channels; NHWC.

    Porting notes: channels are the last axis: concatenate on -1, 1 x 1 first. On axis 1, as in NCHW, the maps would
    stand below one another, and equal widths of both expansions let that pass.
    """

    def __init__(self, in_channels: int, squeeze: int, expand: int, expand3: int, *, rngs: nnx.Rngs) -> None:
        self.squeeze = ConvReLU(in_channels, squeeze, 1, rngs=rngs)
        self.expand = ConvReLU(squeeze, expand, 1, rngs=rngs)
        self.expand3 = ConvReLU(squeeze, expand3, 3, padding=1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.squeeze(x)
        return jnp.concatenate([self.expand(x), self.expand3(x)], axis=-1)


class Head(nnx.Module):
    """Dropout, a 1 x 1 convolution to a map for each class, ReLU, and the mean of each map."""

    def __init__(self, channels: int, classes: int, dropout: float, *, rngs: nnx.Rngs) -> None:
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.conv = nnx.Conv(channels, classes, (1, 1), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.relu(self.conv(self.dropout(x))).mean((1, 2))


class SqueezeNet(nnx.Module):
    """SqueezeNet 1.1: ``[n, h, w, in_channels] -> [n, classes]``, logits that are not negative.

    Porting notes: the padding of ``nnx.Conv`` is "SAME" by default: the first convolution has none. ``nnx.max_pool``
    has none by default, and leaves out what is left at the bottom and right; torchvision pools with ``ceil_mode=True``.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        modules: int = 8,
        dropout: float = 0.5,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        channels, blocks = int(64 * width), []
        self.stem = ConvReLU(in_channels, channels, 3, stride=2, rngs=rngs)
        for squeeze in SQUEEZED[:modules]:
            expand = int(4 * squeeze * width)
            blocks.append(FireModule(channels, int(squeeze * width), expand, expand, rngs=rngs))
            channels = 2 * expand
        self.blocks = nnx.List(blocks)
        self.head = Head(channels, classes, dropout, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for number, block in enumerate(self.blocks):
            x = block(nnx.max_pool(x, (3, 3), (2, 2)) if number in (0, 2, 4) else x)
        return self.head(x)
