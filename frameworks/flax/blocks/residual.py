"""The residual blocks of ResNet in Flax."""

from collections.abc import Callable

import jax
from flax import nnx

from common.layers.values import Pair


class ConvNorm(nnx.Module):
    """Convolution without bias that keeps the size (apart from its stride), norm, and ``act``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (1, 1),
        stride: Pair = (1, 1),
        act: Callable[[jax.Array], jax.Array] = nnx.identity,
        groups: int = 1,
        eps: float = 1e-5,
        momentum: float = 0.1,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.conv = nnx.Conv(
            in_channels,
            out_channels,
            kernel_size,  # an int would make a kernel of one dimension
            strides=stride,
            padding=(kernel_size[0] // 2, kernel_size[1] // 2),  # as in PyTorch, an int is for both sides
            feature_group_count=groups,
            use_bias=False,
            rngs=rngs,
        )
        self.norm = nnx.BatchNorm(out_channels, momentum=1 - momentum, epsilon=eps, rngs=rngs)
        self.act = act

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.act(self.norm(self.conv(x)))


def shortcut(in_channels: int, out_channels: int, stride: Pair, rngs: nnx.Rngs) -> Callable[[jax.Array], jax.Array]:
    """A 1 x 1 convolution with its norm where the shapes differ, and the identity where they do not."""
    same = stride == (1, 1) and in_channels == out_channels
    return nnx.identity if same else ConvNorm(in_channels, out_channels, stride=stride, rngs=rngs)


class ResidualBasic(nnx.Module):
    """Two 3 x 3 convolutions with norms beside a shortcut; NHWC.

    Porting notes: the ReLU comes after the sum. The norm's ``momentum`` is the weight of the old value and 0.99 by
    default. ``padding`` is "SAME" by default, which at stride 2 pads an even size at the bottom and right only
    (flax#2993). The shortcut has a convolution only where the shapes differ, with a norm and no ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1), *, rngs: nnx.Rngs) -> None:
        self.first = ConvNorm(in_channels, out_channels, (3, 3), stride, nnx.relu, rngs=rngs)
        self.second = ConvNorm(out_channels, out_channels, (3, 3), rngs=rngs)
        self.shortcut = shortcut(in_channels, out_channels, stride, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.second(self.first(x))
        return nnx.relu(y + self.shortcut(x))


class ResidualBottleneck(nnx.Module):
    """1 x 1 to a quarter of ``out_channels``, 3 x 3, 1 x 1, beside a shortcut; NHWC.

    Porting notes: the stride is that of the 3 x 3 convolution, as in torchvision. The paper has it in the first 1 x 1:
    the arrays have the same shapes, and the outputs differ.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1), *, rngs: nnx.Rngs) -> None:
        inner = out_channels // 4
        self.reduce = ConvNorm(in_channels, inner, act=nnx.relu, rngs=rngs)
        self.spatial = ConvNorm(inner, inner, (3, 3), stride, nnx.relu, rngs=rngs)
        self.expand = ConvNorm(inner, out_channels, rngs=rngs)
        self.shortcut = shortcut(in_channels, out_channels, stride, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.expand(self.spatial(self.reduce(x)))
        return nnx.relu(y + self.shortcut(x))
