"""RepVGG and its block in Flax."""

import jax
from flax import nnx

from common.layers.values import Depths, Pair
from frameworks.flax.blocks.residual import ConvNorm
from frameworks.flax.blocks.resnet import Head


class RepVGGBlock(nnx.Module):
    """3 x 3 and 1 x 1 convolutions with norms, and a norm alone where the shapes are equal, summed; then ReLU; NHWC.

    Porting notes: if ``deployed``, one 3 x 3 convolution with a bias computes the same in evaluation, from other
    arrays: each norm is folded into its kernel ``[h, w, in, out]``, and a 1 x 1 kernel is the middle of a 3 x 3 one. In
    training it is another function, because its norms are gone. The branch of the identity exists only at stride 1 and
    with as many channels out as in. The norm's ``momentum`` is the weight of the old value and 0.99 by default.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: Pair = (1, 1),
        deployed: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.deployed = deployed
        if deployed:
            self.conv = nnx.Conv(in_channels, out_channels, (3, 3), stride, padding=(1, 1), rngs=rngs)
            return
        same = stride == (1, 1) and in_channels == out_channels
        self.dense = ConvNorm(in_channels, out_channels, (3, 3), stride, rngs=rngs)
        self.pointwise = ConvNorm(in_channels, out_channels, stride=stride, rngs=rngs)
        self.identity = nnx.BatchNorm(out_channels, momentum=0.9, rngs=rngs) if same else None

    def __call__(self, x: jax.Array) -> jax.Array:
        if self.deployed:
            return nnx.relu(self.conv(x))
        y = self.dense(x) + self.pointwise(x)
        return nnx.relu(y if self.identity is None else y + self.identity(x))


class RepVGG(nnx.Module):
    """RepVGG: ``[n, h, w, in_channels] -> [n, classes]``, logits.

    Porting notes: "SAME" at stride 2 pads an even map at the bottom and right only (flax#2993); here both sides are
    padded, as in PyTorch.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        depths: Depths = (2, 4, 14, 1),
        width: int = 48,
        features: int = 1280,
        deployed: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        channels, blocks = min(64, width), []
        self.stem = RepVGGBlock(in_channels, channels, (2, 2), deployed, rngs=rngs)
        widths = [*(width * 2**stage for stage in range(len(depths) - 1)), features]
        for depth, out in zip(depths, widths, strict=True):
            for i in range(depth):
                blocks.append(RepVGGBlock(channels, out, (1, 1) if i else (2, 2), deployed, rngs=rngs))
                channels = out
        self.blocks = nnx.List(blocks)
        self.head = Head(channels, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)
