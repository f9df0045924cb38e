"""MobileNetV2 in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Depths
from frameworks.paddle.blocks.inverted import InvertedResidual, divisible
from frameworks.paddle.blocks.residual import ConvNorm

# Expansion, output channels and stride of each stage.
STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 2), (6, 64, 2), (6, 96, 1), (6, 160, 2), (6, 320, 1))


class Head(nn.Layer):
    """Mean over the map, dropout, then the logits."""

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.linear(self.dropout(self.flatten(self.pool(x))))


class MobileNetV2(nn.Layer):
    """MobileNetV2: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: ``paddle.vision.models.mobilenet_v2`` is the same function, with torchvision's order of blocks.
    ``nn.ReLU6`` stands after the expansion and the depthwise convolution only: ports that put one after the projection
    lose information.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        depths: Depths = (1, 2, 3, 4, 3, 3, 1),
        features: int = 1280,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        channels, blocks = divisible(32 * width), []
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nn.ReLU6)
        for depth, (expansion, out, first) in zip(depths, STAGES, strict=False):
            out = divisible(out * width)
            for stride in (first, *[1] * (depth - 1)):
                blocks.append(InvertedResidual(channels, out, channels * expansion, stride=(stride, stride)))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        last = divisible(features * max(1.0, width))
        self.last = ConvNorm(channels, last, act=nn.ReLU6)
        self.head = Head(last, classes, dropout)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.blocks(self.stem(x))
        return self.head(self.last(x))
