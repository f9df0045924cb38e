"""The inverted residual of MobileNetV2, MobileNetV3 and EfficientNet in Paddle."""

import paddle
from paddle import nn

from common.layers.values import Pair
from frameworks.paddle.blocks.residual import ConvNorm
from frameworks.paddle.layers import Hardsigmoid

ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6, "hardswish": nn.Hardswish, "silu": nn.Silu}
GATES = {"hardsigmoid": Hardsigmoid, "sigmoid": nn.Sigmoid}


def divisible(channels: float) -> int:
    """The nearest multiple of 8 that is at least 8 and at least 0.9 ``channels``."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class SqueezeExcite(nn.Layer):
    """The map times a gate in (0, 1) for each channel, computed from the means of all channels.

    Porting notes: the stock ``nn.Hardsigmoid`` multiplies by 0.1666667, which is 2e-7 more than a sixth: this one
    divides by 6. Some ports write the two convolutions as linear layers, whose weights are ``[in, out]`` in Paddle.
    """

    def __init__(self, channels: int, squeeze: int, act: str, gate: str) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.reduce = nn.Conv2D(channels, squeeze, 1)
        self.act = ACTIVATIONS[act]()
        self.expand = nn.Conv2D(squeeze, channels, 1)
        self.gate = GATES[gate]()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        gate = self.expand(self.act(self.reduce(self.pool(x))))
        return x * self.gate(gate)


class InvertedResidual(nn.Layer):
    """1 x 1 to ``hidden`` channels, depthwise, maybe squeeze-excite, 1 x 1 to ``out_channels``; NCHW.

    Porting notes: ``nn.Silu`` is PyTorch's ``nn.SiLU``, and Swish in EfficientNet's paper. The activation is not seen
    in the arrays: a file does not say which one. The norm's ``momentum`` is 1 - PyTorch's: 0.99 for MobileNetV3.
    ``paddle.vision`` calls its V3 block ``InvertedResidual`` too, as torchvision does.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        act: str = "relu6",
        squeeze: int = 0,
        squeeze_act: str = "relu",
        gate: str = "hardsigmoid",
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        layer, expanded = ACTIVATIONS[act], hidden != in_channels
        self.expand = (
            ConvNorm(in_channels, hidden, act=layer, eps=eps, momentum=momentum) if expanded else nn.Identity()
        )
        self.depthwise = ConvNorm(hidden, hidden, kernel_size, stride, layer, hidden, eps, momentum)
        self.squeeze = SqueezeExcite(hidden, squeeze, squeeze_act, gate) if squeeze else nn.Identity()
        self.project = ConvNorm(hidden, out_channels, eps=eps, momentum=momentum)
        self.adds = stride == (1, 1) and in_channels == out_channels

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.squeeze(self.depthwise(self.expand(x)))
        y = self.project(y)
        return x + y if self.adds else y
