"""MobileNetV2 in PyTorch."""

import torch
from torch import nn

from common.layers.values import Depths
from frameworks.torch.blocks.inverted import InvertedResidual, divisible
from frameworks.torch.blocks.residual import ConvNorm

# Expansion, output channels and stride of each stage.
STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 2), (6, 64, 2), (6, 96, 1), (6, 160, 2), (6, 320, 1))


class Head(nn.Module):
    """Mean over the map, dropout, then the logits."""

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.dropout(self.flatten(self.pool(x))))


class MobileNetV2(nn.Module):
    """MobileNetV2: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: torchvision puts the norms' momentum at 0.1 and eps at 1e-5; descendants of TensorFlow have 0.01 or
    less, and eps 1e-3. Channels are rounded to multiples of 8, and never below 0.9 of the exact number.
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

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.stem(x))
        return self.head(self.last(x))
