"""MobileNetV1 in PyTorch."""

import torch
from torch import nn

from common.layers.values import Pair

# Output channels at alpha 1 and stride of the 13 separable blocks.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


class ConvBnReLU(nn.Module):
    """Convolution that keeps the size (apart from its stride), norm, ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=bias)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


class SeparableBlock(nn.Module):
    """3 x 3 depthwise and pointwise convolution, each with norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, bias: bool) -> None:
        super().__init__()
        self.depthwise = ConvBnReLU(in_channels, in_channels, 3, stride, groups=in_channels, bias=bias)
        self.pointwise = ConvBnReLU(in_channels, out_channels, 1, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nn.Module):
    """MobileNetV1: ``[n, in_channels, h, w] -> [n, classes]``, where h, w are 32 times ``pool_size``.

    Porting notes: with stride 2, padding 1 on both sides is not "SAME" of TensorFlow and JAX, which pads an even size
    at the bottom and right only. ``nn.CrossEntropyLoss`` takes logits: train with ``softmax=False``.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        alpha: float = 1.0,
        bias: bool = True,
        dropout: float = 0.5,
        pool_size: Pair = (7, 7),
        softmax: bool = True,
    ) -> None:
        super().__init__()
        widths = [int(channels * alpha) for channels, _ in BLOCKS]
        strides = [stride for _, stride in BLOCKS]
        inputs = [int(32 * alpha), *widths[:-1]]
        self.stem = ConvBnReLU(in_channels, inputs[0], 3, stride=2, bias=bias)
        self.blocks = nn.Sequential(
            *(SeparableBlock(*sizes, bias=bias) for sizes in zip(inputs, widths, strides, strict=True))
        )
        self.pool = nn.AvgPool2d(pool_size)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(widths[-1], classes)
        self.softmax = nn.Softmax(dim=1) if softmax else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.stem(x))
        x = self.dropout(self.flatten(self.pool(x)))
        return self.softmax(self.linear(x))
