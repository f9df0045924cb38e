"""GhostNet and its bottleneck in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Pair
from frameworks.paddle.blocks.ghost import GhostModule
from frameworks.paddle.blocks.inverted import SqueezeExcite
from frameworks.paddle.blocks.residual import ConvNorm

# Kernel, hidden and output channels, whether there is squeeze-excite, and stride.
BLOCKS = (
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    *[(3, 184, 80, False, 1)] * 2,
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    *[(5, 960, 160, False, 1), (5, 960, 160, True, 1)] * 2,
)


def divisible(channels: float) -> int:
    """The nearest multiple of 4 that is at least 4 and at least 0.9 ``channels``."""
    rounded = max(4, int(channels + 2) // 4 * 4)
    return rounded + 4 if rounded < 0.9 * channels else rounded


class Shortcut(nn.Layer):
    """Depthwise and 1 x 1 convolution with norms, for a shortcut between maps of different shapes."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Pair, stride: Pair) -> None:
        super().__init__()
        self.depthwise = ConvNorm(in_channels, in_channels, kernel_size, stride, groups=in_channels)
        self.pointwise = ConvNorm(in_channels, out_channels)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.pointwise(self.depthwise(x))


class GhostBottleneck(nn.Layer):
    """A ghost module to ``hidden`` channels and one to ``out_channels``, beside a shortcut; NCHW.

    Porting notes: the second ghost module has no ReLU, and none follows the sum. ``paddle.vision`` has no GhostNet;
    PaddleClas writes the gate as linear layers, whose weights are ``[in, out]``. The gate clips: it is a hard sigmoid.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        squeeze: int = 0,
    ) -> None:
        super().__init__()
        strided = stride != (1, 1)
        same = not strided and in_channels == out_channels
        self.expand = GhostModule(in_channels, hidden)
        self.depthwise = ConvNorm(hidden, hidden, kernel_size, stride, groups=hidden) if strided else nn.Identity()
        self.squeeze = SqueezeExcite(hidden, squeeze, "relu", "hardsigmoid") if squeeze else nn.Identity()
        self.project = GhostModule(hidden, out_channels, relu=False)
        self.shortcut = nn.Identity() if same else Shortcut(in_channels, out_channels, kernel_size, stride)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.squeeze(self.depthwise(self.expand(x)))
        return self.project(y) + self.shortcut(x)


class Head(nn.Layer):
    """Mean over the map, a 1 x 1 convolution and ReLU, dropout, then the logits."""

    def __init__(self, channels: int, features: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.conv = nn.Conv2D(channels, features, 1)
        self.act = nn.ReLU()
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features, classes)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.act(self.conv(self.pool(x)))
        return self.linear(self.dropout(self.flatten(x)))


class GhostNet(nn.Layer):
    """GhostNet: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: squeeze widths are a quarter of the hidden channels, rounded to multiples of 4. The 1 x 1 convolution
    after the pool has a bias and no norm; ports that put a norm there have other arrays.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        blocks: int = 16,
        features: int = 1280,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        channels, hidden, layers = divisible(16 * width), 0, []
        self.stem = ConvNorm(in_channels, channels, (3, 3), (2, 2), nn.ReLU)
        for kernel, hidden, out, squeezed, stride in BLOCKS[:blocks]:
            hidden, out = divisible(hidden * width), divisible(out * width)
            sizes = channels, out, hidden, (kernel, kernel), (stride, stride)
            layers.append(GhostBottleneck(*sizes, divisible(hidden / 4) if squeezed else 0))
            channels = out
        self.blocks = nn.Sequential(*layers)
        self.last = ConvNorm(channels, hidden, act=nn.ReLU)
        self.head = Head(hidden, features, classes, dropout)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.blocks(self.stem(x))
        return self.head(self.last(x))
