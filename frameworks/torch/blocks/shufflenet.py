"""ShuffleNetV2 and its unit in PyTorch."""

import torch
from torch import nn

from common.layers.values import Depths, Pair
from frameworks.torch.blocks.residual import ConvNorm
from frameworks.torch.blocks.resnet import Head


class Left(nn.Module):
    """The first half of a unit that has a stride: depthwise and 1 x 1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, stride: Pair) -> None:
        super().__init__()
        self.depthwise = ConvNorm(in_channels, in_channels, (3, 3), stride, groups=in_channels)
        self.pointwise = ConvNorm(in_channels, out_channels, act=nn.ReLU)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pointwise(self.depthwise(x))


class Right(nn.Module):
    """The second half of a unit: 1 x 1, depthwise and 1 x 1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, stride: Pair) -> None:
        super().__init__()
        self.reduce = ConvNorm(in_channels, out_channels, act=nn.ReLU)
        self.depthwise = ConvNorm(out_channels, out_channels, (3, 3), stride, groups=out_channels)
        self.expand = ConvNorm(out_channels, out_channels, act=nn.ReLU)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.expand(self.depthwise(self.reduce(x)))


class Shuffle(nn.Module):
    """One channel of each half in turn: the function of ``nn.ChannelShuffle(2)``, which has no export to ONNX."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)


class ShuffleUnit(nn.Module):
    """Half of the channels pass, convolutions change the rest, then both are shuffled; NCHW.

    Porting notes: a shuffle takes one channel of each half in turn; without the transpose it runs, and changes nothing.
    The depthwise convolution has a norm and no activation. The halves are the first and the last channels, not the
    even and the odd.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> None:
        super().__init__()
        half, self.splits = out_channels // 2, stride == (1, 1)
        self.left = nn.Identity() if self.splits else Left(in_channels, half, stride)
        self.right = Right(half if self.splits else in_channels, half, stride)
        self.shuffle = Shuffle()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept, taken = x.chunk(2, dim=1) if self.splits else (x, x)
        return self.shuffle(torch.cat([self.left(kept), self.right(taken)], dim=1))


class ShuffleNetV2(nn.Module):
    """ShuffleNetV2: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: torchvision numbers the units in each of ``stage2`` to ``stage4``, and calls the halves ``branch1``
    and ``branch2``, which are empty or not by the stride. Here units are numbered through. Its 0.5 and 1.0 have 48 and
    116 channels in the first stage.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: int = 116,
        depths: Depths = (4, 8, 4),
        features: int = 1024,
    ) -> None:
        super().__init__()
        self.stem = ConvNorm(in_channels, 24, (3, 3), (2, 2), nn.ReLU)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        channels, blocks = 24, []
        for stage, depth in enumerate(depths):
            for i in range(depth):
                blocks.append(ShuffleUnit(channels, width * 2**stage, (1, 1) if i else (2, 2)))
                channels = width * 2**stage
        self.blocks = nn.Sequential(*blocks)
        self.last = ConvNorm(channels, features, act=nn.ReLU)
        self.head = Head(features, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.pool(self.stem(x)))
        return self.head(self.last(x))
