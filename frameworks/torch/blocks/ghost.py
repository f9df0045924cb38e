"""GhostNet's module in PyTorch."""

import math

import torch
from torch import nn

from common.layers.values import Pair


class ConvBn(nn.Module):
    """Convolution that keeps the size (apart from its stride), norm, and a ReLU if ``relu``."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Pair, stride: Pair, groups: int, relu: bool
    ) -> None:
        super().__init__()
        padding = (kernel_size[0] // 2, kernel_size[1] // 2)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


class GhostModule(nn.Module):
    """``out_channels`` maps, 1/ratio of them from a convolution and the rest from cheap depthwise kernels; NCHW.

    Porting notes: concatenate primary before cheap, then keep the first ``out_channels``. With ``ratio`` above 2 the
    cheap convolution has ``ratio - 1`` outputs a group, and output c reads primary map ``c // (ratio - 1)``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (1, 1),
        cheap_kernel_size: Pair = (3, 3),
        ratio: int = 2,
        stride: Pair = (1, 1),
        relu: bool = True,
    ) -> None:
        super().__init__()
        maps = math.ceil(out_channels / ratio)
        self.out_channels = out_channels
        self.primary = ConvBn(in_channels, maps, kernel_size, stride, groups=1, relu=relu)
        self.cheap = ConvBn(maps, maps * (ratio - 1), cheap_kernel_size, (1, 1), groups=maps, relu=relu)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        primary = self.primary(x)
        cheap = self.cheap(primary)
        return torch.cat([primary, cheap], dim=1)[:, : self.out_channels]
