"""The residual blocks of ResNet in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Pair


class ConvNorm(nn.Layer):
    """Convolution without bias that keeps the size (apart from its stride), norm, and ``act``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair = (1, 1),
        stride: Pair = (1, 1),
        act: type[nn.Layer] = nn.Identity,
        groups: int = 1,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        sizes = kernel_size, stride, (kernel_size[0] // 2, kernel_size[1] // 2)
        self.conv = nn.Conv2D(in_channels, out_channels, *sizes, groups=groups, bias_attr=False)
        self.norm = nn.BatchNorm2D(out_channels, momentum=1 - momentum, epsilon=eps)
        self.act = act()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.act(self.norm(self.conv(x)))


def shortcut(in_channels: int, out_channels: int, stride: Pair) -> nn.Layer:
    """A 1 x 1 convolution with its norm where the shapes differ, and the identity where they do not."""
    same = stride == (1, 1) and in_channels == out_channels
    return nn.Identity() if same else ConvNorm(in_channels, out_channels, stride=stride)


class ResidualBasic(nn.Layer):
    """Two 3 x 3 convolutions with norms beside a shortcut; NCHW.

    Porting notes: the ReLU comes after the sum. ``nn.Conv2D`` has a bias unless ``bias_attr=False``, and the norm's
    ``momentum`` is the weight of the old value, 1 - PyTorch's. The shortcut has a convolution only where the shapes
    differ, and that one has a norm and no ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> None:
        super().__init__()
        self.first = ConvNorm(in_channels, out_channels, (3, 3), stride, nn.ReLU)
        self.second = ConvNorm(out_channels, out_channels, (3, 3))
        self.shortcut = shortcut(in_channels, out_channels, stride)
        self.act = nn.ReLU()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.second(self.first(x))
        return self.act(y + self.shortcut(x))


class ResidualBottleneck(nn.Layer):
    """1 x 1 to a quarter of ``out_channels``, 3 x 3, 1 x 1, beside a shortcut; NCHW.

    Porting notes: the stride is that of the 3 x 3 convolution, as in ``paddle.vision`` and torchvision. The paper has
    it in the first 1 x 1: the arrays have the same shapes, and the outputs differ.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> None:
        super().__init__()
        inner = out_channels // 4
        self.reduce = ConvNorm(in_channels, inner, act=nn.ReLU)
        self.spatial = ConvNorm(inner, inner, (3, 3), stride, nn.ReLU)
        self.expand = ConvNorm(inner, out_channels)
        self.shortcut = shortcut(in_channels, out_channels, stride)
        self.act = nn.ReLU()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.expand(self.spatial(self.reduce(x)))
        return self.act(y + self.shortcut(x))
