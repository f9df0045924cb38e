"""EfficientNet in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Depths
from frameworks.paddle.blocks.inverted import InvertedResidual, divisible
from frameworks.paddle.blocks.mobilenet_v2 import Head
from frameworks.paddle.blocks.residual import ConvNorm

# Expansion, kernel, output channels and stride of each stage.
STAGES = ((1, 3, 16, 1), (6, 3, 24, 2), (6, 5, 40, 2), (6, 3, 80, 2), (6, 5, 112, 1), (6, 5, 192, 2), (6, 3, 320, 1))


class EfficientNet(nn.Layer):
    """EfficientNet-B0 to -B4: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: ``paddle.vision`` has no EfficientNet. The squeeze width is a quarter of the block's *input*,
    unrounded; MobileNetV3's is of the expanded channels, and rounded.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        depths: Depths = (1, 2, 2, 3, 3, 4, 1),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        channels, blocks = divisible(32 * width), []
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nn.Silu)
        for depth, (expansion, kernel, out, first) in zip(depths, STAGES, strict=False):
            out = divisible(out * width)
            for stride in (first, *[1] * (depth - 1)):
                sizes = channels, out, divisible(channels * expansion), (kernel, kernel), (stride, stride)
                blocks.append(InvertedResidual(*sizes, "silu", channels // 4, "silu", "sigmoid"))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.last = ConvNorm(channels, 4 * channels, act=nn.Silu)
        self.head = Head(4 * channels, classes, dropout)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.blocks(self.stem(x))
        return self.head(self.last(x))
