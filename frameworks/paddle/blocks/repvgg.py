"""RepVGG and its block in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Depths, Pair
from frameworks.paddle.blocks.residual import ConvNorm
from frameworks.paddle.blocks.resnet import Head


class RepVGGBlock(nn.Layer):
    """3 x 3 and 1 x 1 convolutions with norms, and a norm alone where the shapes are equal, summed; then ReLU; NCHW.

    Porting notes: if ``deployed``, one 3 x 3 convolution with a bias computes the same in evaluation, from other
    arrays: each norm is folded into its kernel, and a 1 x 1 kernel is the middle of a 3 x 3 one. In training it is
    another function, because its norms are gone. The branch of the identity exists only at stride 1 and with as many
    channels out as in; it has a norm and no convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1), deployed: bool = False) -> None:
        super().__init__()
        self.deployed = deployed
        self.act = nn.ReLU()
        if deployed:
            self.conv = nn.Conv2D(in_channels, out_channels, 3, stride, padding=1)
            return
        same = stride == (1, 1) and in_channels == out_channels
        self.dense = ConvNorm(in_channels, out_channels, (3, 3), stride)
        self.pointwise = ConvNorm(in_channels, out_channels, stride=stride)
        self.identity = nn.BatchNorm2D(out_channels) if same else None

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        if self.deployed:
            return self.act(self.conv(x))
        y = self.dense(x) + self.pointwise(x)
        return self.act(y if self.identity is None else y + self.identity(x))


class RepVGG(nn.Layer):
    """RepVGG: ``[n, in_channels, h, w] -> [n, classes]``, logits.

    Porting notes: the authors' code names the branches ``rbr_dense``, ``rbr_1x1`` and ``rbr_identity``, and the folded
    convolution ``rbr_reparam``.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1000,
        depths: Depths = (2, 4, 14, 1),
        width: int = 48,
        features: int = 1280,
        deployed: bool = False,
    ) -> None:
        super().__init__()
        channels, blocks = min(64, width), []
        self.stem = RepVGGBlock(in_channels, channels, (2, 2), deployed)
        widths = [*(width * 2**stage for stage in range(len(depths) - 1)), features]
        for depth, out in zip(depths, widths, strict=True):
            for i in range(depth):
                blocks.append(RepVGGBlock(channels, out, (1, 1) if i else (2, 2), deployed))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = Head(channels, classes)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.head(self.blocks(self.stem(x)))
