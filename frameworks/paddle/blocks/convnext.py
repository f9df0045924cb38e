"""ConvNeXt and its block in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Depths, Pair
from frameworks.paddle.layers import LayerNorm2D, LayerScale

EPS = 1e-6


class ConvNeXtBlock(nn.Layer):
    """Depthwise convolution, layer norm, 1 x 1, GELU, 1 x 1, layer scale, beside a shortcut; NCHW.

    Porting notes: ``nn.LayerNorm`` normalises the last axes, so an NCHW map is transposed for it; its ``epsilon`` is
    1e-5 unless given, and 1e-6 here. ``nn.GELU`` is exact by default. Where a source holds the two 1 x 1 convolutions
    as linear layers, PyTorch's weights are ``[out, in]`` and Paddle's ``[in, out]``; these kernels are
    ``[out, in, 1, 1]``.
    """

    def __init__(self, channels: int, kernel_size: Pair = (7, 7), expansion: int = 4) -> None:
        super().__init__()
        padding = (kernel_size[0] // 2, kernel_size[1] // 2)
        self.depthwise = nn.Conv2D(channels, channels, kernel_size, padding=padding, groups=channels)
        self.norm = LayerNorm2D(channels, EPS)
        self.expand = nn.Conv2D(channels, expansion * channels, 1)
        self.act = nn.GELU()
        self.reduce = nn.Conv2D(expansion * channels, channels, 1)
        self.scale = LayerScale(channels)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.norm(self.depthwise(x))
        return self.scale(self.reduce(self.act(self.expand(y)))) + x


class Patches(nn.Layer):
    """A convolution whose windows do not overlap, then a norm: ``[n, c, h, w] -> [n, c', h / size, w / size]``."""

    def __init__(self, in_channels: int, out_channels: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2D(in_channels, out_channels, size, stride=size)
        self.norm = LayerNorm2D(out_channels, EPS)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.norm(self.conv(x))


class Downsample(nn.Layer):
    """A norm, then a 2 x 2 convolution of stride 2 that doubles the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = LayerNorm2D(channels, EPS)
        self.conv = nn.Conv2D(channels, 2 * channels, 2, stride=2)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(self.norm(x))


class Head(nn.Layer):
    """Mean over the map, a norm, then the logits."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.norm = LayerNorm2D(channels, EPS)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.linear(self.flatten(self.norm(self.pool(x))))


class ConvNeXt(nn.Layer):
    """ConvNeXt: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: the norm of a downsampling comes before its convolution, that of the stem after it. Most ports number
    the blocks from 0 in each stage; here they are numbered through.
    """

    def __init__(
        self, in_channels: int = 3, classes: int = 1000, depths: Depths = (3, 3, 9, 3), width: int = 96
    ) -> None:
        super().__init__()
        self.stem = Patches(in_channels, width, 4)
        widths = [width * 2**stage for stage in range(len(depths))]
        self.downsamples = nn.LayerList([Downsample(channels) for channels in widths[:-1]])
        self.blocks = nn.LayerList(
            [ConvNeXtBlock(channels) for channels, depth in zip(widths, depths, strict=True) for _ in range(depth)]
        )
        self.head = Head(widths[-1], classes)
        self.depths = depths

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x, blocks = self.stem(x), iter(self.blocks)
        for stage, depth in enumerate(self.depths):
            if stage:
                x = self.downsamples[stage - 1](x)
            for _ in range(depth):
                x = next(blocks)(x)
        return self.head(x)
