"""The standard and the separable stack in PyTorch."""

import torch
from torch import nn

from frameworks.torch.blocks.separable import ConvBnAct


class ConvStack(nn.Module):
    """``depth`` times: 3 x 3 convolution without bias, norm, LeakyReLU; NCHW.

    Porting notes: ``nn.Sequential`` names its children 0, 1, ...; the weights are ``blocks.0.conv.weight`` and so on.
    """

    def __init__(
        self, in_channels: int, width: int = 128, depth: int = 10, affine: bool = True, negative_slope: float = 0.01
    ) -> None:
        super().__init__()
        inputs = [in_channels] + [width] * (depth - 1)
        self.blocks = nn.Sequential(
            *(ConvBnAct(channels, width, affine=affine, negative_slope=negative_slope) for channels in inputs)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(x)


class SeparableBlock(nn.Module):
    """3 x 3 depthwise convolution, pointwise convolution, norm, LeakyReLU; nothing between the convolutions."""

    def __init__(self, in_channels: int, out_channels: int, affine: bool, negative_slope: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels, affine=affine)
        self.act = nn.LeakyReLU(negative_slope)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pointwise(self.depthwise(x))
        return self.act(self.norm(x))


class SeparableStack(nn.Module):
    """``depth`` separable blocks of ``width`` channels; NCHW.

    Porting notes: on a CPU, call ``.to(memory_format=torch.channels_last)`` on the module and on the input: it is the
    same function in NHWC memory, and faster.
    """

    def __init__(
        self, in_channels: int, width: int = 128, depth: int = 10, affine: bool = True, negative_slope: float = 0.01
    ) -> None:
        super().__init__()
        inputs = [in_channels] + [width] * (depth - 1)
        self.blocks = nn.Sequential(*(SeparableBlock(channels, width, affine, negative_slope) for channels in inputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(x)
