"""ResNet in Flax."""

import jax
from flax import nnx

from common.layers.values import Depths
from frameworks.flax.blocks.residual import ConvNorm, ResidualBasic, ResidualBottleneck


class Head(nnx.Module):
    """Mean over the map, then the logits."""

    def __init__(self, channels: int, classes: int, *, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(channels, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.linear(x.mean((1, 2)))


class ResNet(nnx.Module):
    """ResNet: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: ``nnx.max_pool`` pads with minus infinity and takes ``padding`` as a pair for each side; "SAME" at
    stride 2 pads an even map at the bottom and right only. A mean over height and width gives ``[n, c]`` in the order
    that the linear weights expect: nothing has to be transposed.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        depths: Depths = (2, 2, 2, 2),
        width: int = 64,
        bottlenecks: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        make, expansion = (ResidualBottleneck, 4) if bottlenecks else (ResidualBasic, 1)
        self.stem = ConvNorm(in_channels, width, (7, 7), (2, 2), nnx.relu, rngs=rngs)
        blocks, channels = [], width
        for stage, depth in enumerate(depths):
            out = width * 2**stage * expansion
            for i in range(depth):
                blocks.append(make(channels, out, (2, 2) if stage and i == 0 else (1, 1), rngs=rngs))
                channels = out
        self.blocks = nnx.List(blocks)
        self.head = Head(channels, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        x = nnx.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))  # type: ignore[arg-type] - Flax annotates strings only
        for block in self.blocks:
            x = block(x)
        return self.head(x)
