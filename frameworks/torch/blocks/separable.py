"""Convolution, norm and activation, and the depthwise-separable block, in PyTorch."""

import torch
from torch import nn

from common.layers.values import Padding, Pair
from frameworks.torch.layers import Conv2d


class ConvBnAct(nn.Module):
    """Convolution, batch normalisation, LeakyReLU; NCHW.

    Porting notes: ``momentum`` is the weight of the *new* value; in Paddle and Flax it is 1 - that. In training the
    running variance takes the *unbiased* batch variance, n / (n - 1) times what Flax and, on a CPU, Paddle take
    (pytorch#77427).
    ``affine=False`` leaves out scale and bias, and keeps the running statistics. At exactly 0 the gradient of LeakyReLU
    is the slope; in the other three it is 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((1, 1), (1, 1)),
        dilation: Pair = (1, 1),
        groups: int = 1,
        bias: bool = False,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        negative_slope: float = 0.01,
    ) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.norm = nn.BatchNorm2d(out_channels, eps, momentum, affine)
        self.act = nn.LeakyReLU(negative_slope)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


class DepthwiseSeparable(nn.Module):
    """Depthwise convolution, norm, LeakyReLU, pointwise convolution, norm, LeakyReLU; NCHW.

    Porting notes: the biases before the norms are redundant but are part of the published block. A port that forgets
    ``groups`` still runs; only its parameter count shows the mistake.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: Padding = ((1, 1), (1, 1)),
        dilation: Pair = (1, 1),
        bias: bool = True,
        affine: bool = True,
        negative_slope: float = 0.1,
    ) -> None:
        super().__init__()
        self.depthwise = ConvBnAct(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups=in_channels,
            bias=bias,
            affine=affine,
            negative_slope=negative_slope,
        )
        self.pointwise = ConvBnAct(
            in_channels,
            out_channels,
            kernel_size=(1, 1),
            padding=((0, 0), (0, 0)),
            bias=bias,
            affine=affine,
            negative_slope=negative_slope,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.depthwise(x)
        return self.pointwise(x)
