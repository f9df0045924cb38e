"""The residual blocks of ResNet in PyTorch."""

import torch
from torch import nn

from common.layers.values import Pair


class ConvNorm(nn.Module):
    """Convolution without bias that keeps the size (apart from its stride), norm, and ``act``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (1, 1),
        stride: Pair = (1, 1),
        act: type[nn.Module] = nn.Identity,
        groups: int = 1,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        padding = (kernel_size[0] // 2, kernel_size[1] // 2)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out_channels, eps, momentum)
        self.act = act()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


def shortcut(in_channels: int, out_channels: int, stride: Pair) -> nn.Module:
    """A 1 x 1 convolution with its norm where the shapes differ, and the identity where they do not."""
    same = stride == (1, 1) and in_channels == out_channels
    return nn.Identity() if same else ConvNorm(in_channels, out_channels, stride=stride)


class ResidualBasic(nn.Module):
    """Two 3 x 3 convolutions with norms beside a shortcut; NCHW.

    Porting notes: the ReLU comes after the sum. With ``inplace=True`` the ReLU of the branch may not overwrite what the
    shortcut still reads: the block's input. The shortcut has a convolution only where the shapes differ, and that one
    has a norm and no ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> None:
        super().__init__()
        self.first = ConvNorm(in_channels, out_channels, (3, 3), stride, nn.ReLU)
        self.second = ConvNorm(out_channels, out_channels, (3, 3))
        self.shortcut = shortcut(in_channels, out_channels, stride)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(self.first(x))
        return self.act(y + self.shortcut(x))


class ResidualBottleneck(nn.Module):
    """1 x 1 to a quarter of ``out_channels``, 3 x 3, 1 x 1, beside a shortcut; NCHW.

    Porting notes: the stride is that of the 3 x 3 convolution, as in torchvision and Paddle. The paper and the first
    published weights (Caffe's, and Keras's ResNet50) have it in the first 1 x 1: the arrays have the same shapes, and
    the outputs differ.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> None:
        super().__init__()
        inner = out_channels // 4
        self.reduce = ConvNorm(in_channels, inner, act=nn.ReLU)
        self.spatial = ConvNorm(inner, inner, (3, 3), stride, nn.ReLU)
        self.expand = ConvNorm(inner, out_channels)
        self.shortcut = shortcut(in_channels, out_channels, stride)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.expand(self.spatial(self.reduce(x)))
        return self.act(y + self.shortcut(x))
