"""Convolution, norm and activation, and the depthwise-separable block, in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Padding, Pair
from frameworks.paddle.layers import Conv2d


class ConvBnAct(nn.Layer):
    """Convolution, batch normalisation, LeakyReLU; NCHW.

    Porting notes: ``momentum`` is the weight of the *old* value, 1 - PyTorch's, and comes before ``epsilon``. In
    training on a CPU the running variance takes the *biased* batch variance. The running statistics are called
    ``_mean`` and ``_variance``. They are parameters with ``stop_gradient`` set, not buffers: ``parameters()`` includes
    them (Paddle#43196). ``weight_attr=False, bias_attr=False`` is ``affine=False``; both attributes are then None.
    ``epsilon`` and ``momentum`` are rounded to float32 even in a float64 layer. Training mode warns at every call. At
    exactly 0 the gradient of LeakyReLU is 1; in PyTorch it is the slope.
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
        attr = None if affine else False
        self.conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.norm = nn.BatchNorm2D(out_channels, 1 - momentum, eps, weight_attr=attr, bias_attr=attr)
        self.act = nn.LeakyReLU(negative_slope)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.act(self.norm(self.conv(x)))


class DepthwiseSeparable(nn.Layer):
    """Depthwise convolution, norm, LeakyReLU, pointwise convolution, norm, LeakyReLU; NCHW.

    Porting notes: Paddle's default initial values make the depthwise weights sqrt(in_channels) times too small (see
    `GroupedConv`). In training the norm hides that in the output, but not in the gradients of the weights.
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

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.depthwise(x)
        return self.pointwise(x)
