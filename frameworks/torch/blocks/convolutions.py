"""The four plain convolutions in PyTorch: one class with different ``kernel_size`` and ``groups``."""

import torch
from torch import nn

from common.layers.values import Padding, Pair
from frameworks.torch.layers import Conv2d


class StandardConv(nn.Module):
    """A convolution in which every output channel reads every input channel; NCHW.

    Porting notes: the kernel is OIHW and the bias is on by default. The default initialisation of weight and bias is
    Kaiming uniform with a = sqrt(5): from -1/sqrt(fan in) to 1/sqrt(fan in). No other framework here starts like that.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: Pair = (1, 1),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class GroupedConv(nn.Module):
    """A convolution in ``groups`` independent runs of channels; NCHW.

    Porting notes: the kernel is ``[out, in / groups, kh, kw]``; both channel counts must be multiples of ``groups``.
    Group g reads input run g and writes output run g, as in the other three frameworks.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        groups: int = 2,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: Pair = (1, 1),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class DepthwiseConv(nn.Module):
    """A convolution in which each channel has ``multiplier`` kernels of its own; NCHW.

    Porting notes: PyTorch has no class for it: ``groups=channels`` makes a convolution depthwise. Without that argument
    it is a full convolution, and nothing is raised. The kernel is ``[channels * multiplier, 1, kh, kw]``.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((1, 1), (1, 1)),
        dilation: Pair = (1, 1),
        multiplier: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        out_channels = channels * multiplier
        self.conv = Conv2d(channels, out_channels, kernel_size, stride, padding, dilation, groups=channels, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class PointwiseConv(nn.Module):
    """A 1 x 1 convolution; NCHW.

    Porting notes: the kernel ``[out, in, 1, 1]`` is the weight ``[out, in]`` of ``nn.Linear`` with two more axes of
    length one.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1), bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)
