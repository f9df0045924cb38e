"""The four plain convolutions in Paddle: one class with different ``kernel_size`` and ``groups``."""

import paddle
from paddle import nn

from common.layers.values import Padding, Pair
from frameworks.paddle.layers import Conv2d


class StandardConv(nn.Layer):
    """A convolution in which every output channel reads every input channel; NCHW.

    Porting notes: the kernel is OIHW; ``bias_attr=False`` leaves the bias out. The default initialisation is normal
    with standard deviation sqrt(2 / (in * kh * kw)), and the bias starts at 0. Four numbers as padding are ``[top,
    bottom, left, right]``; PyTorch's ``F.pad`` starts with left. ``"SAME"`` works with a stride too, and may then pad
    the bottom and right only, as in TensorFlow and JAX; it sets ``dilation`` to 1 without a word.
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

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(x)


class GroupedConv(nn.Layer):
    """A convolution in ``groups`` independent runs of channels; NCHW.

    Porting notes: the kernel is ``[out, in / groups, kh, kw]``. The constructor checks that ``groups`` divides
    ``in_channels``; if it does not divide ``out_channels``, the error comes at the first call. The default
    initialisation divides by all ``in_channels``, not by those of a group, so the weights start sqrt(groups) times too
    small.
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

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(x)


class DepthwiseConv(nn.Layer):
    """A convolution in which each channel has ``multiplier`` kernels of its own; NCHW.

    Porting notes: ``groups=channels`` makes a convolution depthwise. Published ``fluid`` code of this name has three
    mistakes. It leaves ``groups`` out: that is a full convolution (k * k * C * C weights), and nothing is raised. It
    makes the convolution inside ``forward``: the weights are new at every call, and ``parameters()`` is empty. It pads
    ``(kernel - stride + 1) // 2``, which at stride 1 keeps the size for odd kernels only. Kernel 2 makes
    5 x 5 of 4 x 4.
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

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(x)


class PointwiseConv(nn.Layer):
    """A 1 x 1 convolution; NCHW.

    Porting notes: the kernel is ``[out, in, 1, 1]``, but the weight of ``nn.Linear`` is ``[in, out]``. Transpose it: a
    reshape to the same shape raises nothing and is wrong.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Pair = (1, 1), bias: bool = True) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size=(1, 1), stride=stride, bias=bias)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(x)
