"""The standard and the separable stack in Paddle."""

import paddle
from paddle import nn

from frameworks.paddle.blocks.separable import ConvBnAct


class ConvStack(nn.Layer):
    """``depth`` times: 3 x 3 convolution without bias, norm, LeakyReLU; NCHW.

    Porting notes: ``nn.Sequential`` names its children 0, 1, ...; the weights are ``blocks.0.conv.weight`` and so on,
    as in PyTorch. ``Layer.astype`` leaves the weights of sublayers as they are; ``Layer.to(dtype=...)`` casts them all.
    """

    def __init__(
        self, in_channels: int, width: int = 128, depth: int = 10, affine: bool = True, negative_slope: float = 0.01
    ) -> None:
        super().__init__()
        inputs = [in_channels] + [width] * (depth - 1)
        self.blocks = nn.Sequential(
            *(ConvBnAct(channels, width, affine=affine, negative_slope=negative_slope) for channels in inputs)
        )

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.blocks(x)


class SeparableBlock(nn.Layer):
    """3 x 3 depthwise convolution, pointwise convolution, norm, LeakyReLU; nothing between the convolutions."""

    def __init__(self, in_channels: int, out_channels: int, affine: bool, negative_slope: float) -> None:
        super().__init__()
        attr = None if affine else False
        self.depthwise = nn.Conv2D(in_channels, in_channels, 3, padding=1, groups=in_channels, bias_attr=False)
        self.pointwise = nn.Conv2D(in_channels, out_channels, 1, bias_attr=False)
        self.norm = nn.BatchNorm2D(out_channels, weight_attr=attr, bias_attr=attr)
        self.act = nn.LeakyReLU(negative_slope)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.pointwise(self.depthwise(x))
        return self.act(self.norm(x))


class SeparableStack(nn.Layer):
    """``depth`` separable blocks of ``width`` channels; NCHW.

    Porting notes: to compare the two stacks, sum ``p.size`` over ``parameters()`` where ``not p.stop_gradient``.
    Otherwise the running statistics, the same number in both, are counted too.
    """

    def __init__(
        self, in_channels: int, width: int = 128, depth: int = 10, affine: bool = True, negative_slope: float = 0.01
    ) -> None:
        super().__init__()
        inputs = [in_channels] + [width] * (depth - 1)
        self.blocks = nn.Sequential(*(SeparableBlock(channels, width, affine, negative_slope) for channels in inputs))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.blocks(x)
