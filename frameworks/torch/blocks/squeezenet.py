"""SqueezeNet and its fire module in PyTorch."""

import torch
from torch import nn

# Squeezed channels, and a quarter of those of each expansion, of the eight modules.
SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)


class ConvReLU(nn.Module):
    """Convolution with bias that keeps the size, and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.conv(x))


class FireModule(nn.Module):
    """1 x 1 to ``squeeze`` channels, then 1 x 1 and 3 x 3 to ``expand`` and ``expand3`` channels; NCHW.

    Porting notes: the two expansions are concatenated 1 x 1 first. Timm and torchvision call them ``expand1x1`` and
    ``expand3x3``, Caffe and ONNX's model zoo ``expand1x1`` and ``expand3x3`` below ``fire2`` to ``fire9``.
    """

    def __init__(self, in_channels: int, squeeze: int, expand: int, expand3: int) -> None:
        super().__init__()
        self.squeeze = ConvReLU(in_channels, squeeze, 1)
        self.expand = ConvReLU(squeeze, expand, 1)
        self.expand3 = ConvReLU(squeeze, expand3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.squeeze(x)
        return torch.cat([self.expand(x), self.expand3(x)], dim=1)


class Stem(nn.Module):
    """3 x 3 convolution at stride 2 without padding, and ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=2)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.conv(x))


class Head(nn.Module):
    """Dropout, a 1 x 1 convolution to a map for each class, ReLU, and the mean of each map."""

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.conv = nn.Conv2d(channels, classes, 1)
        self.act = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.conv(self.dropout(x)))
        return self.flatten(self.pool(x))


class SqueezeNet(nn.Module):
    """SqueezeNet 1.1: ``[n, in_channels, h, w] -> [n, classes]``, logits that are not negative.

    Porting notes: torchvision pools with ``ceil_mode=True``, which takes what is left at the bottom and right: for
    inputs of 224 nothing is. The first convolution has no padding in 1.1; other ports pad it by one, with the same
    arrays. The ReLU comes after the last convolution, before the pool.
    """

    def __init__(
        self, in_channels: int = 3, classes: int = 1000, width: float = 1.0, modules: int = 8, dropout: float = 0.5
    ) -> None:
        super().__init__()
        channels, blocks = int(64 * width), []
        self.stem = Stem(in_channels, channels)
        for squeeze in SQUEEZED[:modules]:
            expand = int(4 * squeeze * width)
            blocks.append(FireModule(channels, int(squeeze * width), expand, expand))
            channels = 2 * expand
        self.pool = nn.MaxPool2d(3, stride=2)
        self.blocks = nn.Sequential(*blocks)
        self.head = Head(channels, classes, dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for number, block in enumerate(self.blocks):
            x = block(self.pool(x) if number in (0, 2, 4) else x)
        return self.head(x)
