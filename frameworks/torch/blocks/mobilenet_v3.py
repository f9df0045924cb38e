"""MobileNetV3 in PyTorch."""

import torch
from torch import nn

from frameworks.torch.blocks.inverted import InvertedResidual, divisible
from frameworks.torch.blocks.residual import ConvNorm

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


class Classifier(nn.Module):
    """Mean over the map, a hidden layer with Hardswish, dropout, then the logits."""

    def __init__(self, channels: int, features: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.hidden = nn.Linear(channels, features)
        self.act = nn.Hardswish()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.hidden(self.flatten(self.pool(x))))
        return self.linear(self.dropout(x))


class MobileNetV3(nn.Module):
    """MobileNetV3, large or small: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: torchvision's norms have eps 1e-3 and momentum 0.01; a port with the defaults runs, and differs by
    some 1e-3. The squeeze widths are rounded to multiples of 8, and the gate is computed after the depthwise
    convolution's activation.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        large: bool = True,
        width: float = 1.0,
        blocks: int = 0,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        rows, features = (LARGE, 1280) if large else (SMALL, 1024)
        channels, layers = divisible(16 * width), []
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nn.Hardswish, eps=1e-3, momentum=0.01)
        for kernel, hidden, out, squeezed, act, stride in rows[: blocks or None]:
            hidden, out = divisible(hidden * width), divisible(out * width)
            sizes = channels, out, hidden, (kernel, kernel), (stride, stride)
            squeeze = divisible(hidden // 4) if squeezed else 0
            layers.append(InvertedResidual(*sizes, act, squeeze, eps=1e-3, momentum=0.01))
            channels = out
        self.blocks = nn.Sequential(*layers)
        self.last = ConvNorm(channels, 6 * channels, act=nn.Hardswish, eps=1e-3, momentum=0.01)
        self.head = Classifier(6 * channels, divisible(features * width), classes, dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.stem(x))
        return self.head(self.last(x))
