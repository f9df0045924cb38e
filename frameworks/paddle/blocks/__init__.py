"""The blocks in Paddle, by the catalogue's names."""

from paddle import nn

from frameworks.paddle.blocks.convolutions import DepthwiseConv, GroupedConv, PointwiseConv, StandardConv
from frameworks.paddle.blocks.ghost import GhostModule
from frameworks.paddle.blocks.mobilenet import MobileNetV1
from frameworks.paddle.blocks.separable import ConvBnAct, DepthwiseSeparable
from frameworks.paddle.blocks.stacks import ConvStack, SeparableStack

BLOCKS: dict[str, type[nn.Layer]] = {
    "standard_conv": StandardConv,
    "grouped_conv": GroupedConv,
    "depthwise_conv": DepthwiseConv,
    "pointwise_conv": PointwiseConv,
    "conv_bn_act": ConvBnAct,
    "depthwise_separable": DepthwiseSeparable,
    "conv_stack": ConvStack,
    "separable_stack": SeparableStack,
    "mobilenet_v1": MobileNetV1,
    "ghost_module": GhostModule,
}
