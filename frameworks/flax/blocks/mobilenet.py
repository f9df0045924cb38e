"""MobileNetV1 in Flax."""

import jax
from flax import nnx

from common.layers.values import Pair
from frameworks.flax.layers import flatten

# Output channels at alpha 1 and stride of the 13 separable blocks.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


class ConvBnReLU(nnx.Module):
    """Convolution that keeps the size (apart from its stride), norm, ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = nnx.Conv(
            in_channels,
            out_channels,
            (kernel_size, kernel_size),  # an int would make a kernel of one dimension
            strides=stride,
            padding=kernel_size // 2,
            feature_group_count=groups,
            use_bias=bias,
            rngs=rngs,
        )
        self.norm = nnx.BatchNorm(out_channels, momentum=0.9, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.relu(self.norm(self.conv(x)))


class SeparableBlock(nnx.Module):
    """3 x 3 depthwise and pointwise convolution, each with norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, bias: bool, *, rngs: nnx.Rngs) -> None:
        self.depthwise = ConvBnReLU(in_channels, in_channels, 3, stride, groups=in_channels, bias=bias, rngs=rngs)
        self.pointwise = ConvBnReLU(in_channels, out_channels, 1, bias=bias, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nnx.Module):
    """MobileNetV1: ``[n, h, w, in_channels] -> [n, classes]``, where h, w are 32 times ``pool_size``.

    Porting notes: ``nnx.avg_pool`` steps by one pixel unless ``strides`` is set; PyTorch's pool steps by its window.
    With stride 2, set the padding in numbers: "SAME" pads an even size at the bottom and right only (flax#2993).
    Dropout draws from a random stream that the module keeps; ``train()`` and ``eval()`` switch dropout and the norms.
    The cross-entropy losses of optax take logits: train with ``softmax=False``.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        alpha: float = 1.0,
        bias: bool = True,
        dropout: float = 0.5,
        pool_size: Pair = (7, 7),
        softmax: bool = True,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        widths = [int(channels * alpha) for channels, _ in BLOCKS]
        strides = [stride for _, stride in BLOCKS]
        inputs = [int(32 * alpha), *widths[:-1]]
        self.stem = ConvBnReLU(in_channels, inputs[0], 3, stride=2, bias=bias, rngs=rngs)
        self.blocks = nnx.List(
            SeparableBlock(*sizes, bias=bias, rngs=rngs) for sizes in zip(inputs, widths, strides, strict=True)
        )
        self.pool_size = pool_size
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.linear = nnx.Linear(widths[-1], classes, rngs=rngs)
        self.softmax = softmax

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = nnx.avg_pool(x, self.pool_size, strides=self.pool_size)
        x = self.dropout(flatten(x))
        x = self.linear(x)
        return nnx.softmax(x) if self.softmax else x
