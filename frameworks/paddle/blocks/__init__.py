"""The blocks in Paddle, by the catalogue's names."""

from paddle import nn

from frameworks.paddle.blocks.convnext import ConvNeXt, ConvNeXtBlock
from frameworks.paddle.blocks.convolutions import DepthwiseConv, GroupedConv, PointwiseConv, StandardConv
from frameworks.paddle.blocks.efficientnet import EfficientNet
from frameworks.paddle.blocks.ghost import GhostModule
from frameworks.paddle.blocks.ghostnet import GhostBottleneck, GhostNet
from frameworks.paddle.blocks.inverted import InvertedResidual
from frameworks.paddle.blocks.mobilenet import MobileNetV1
from frameworks.paddle.blocks.mobilenet_v2 import MobileNetV2
from frameworks.paddle.blocks.mobilenet_v3 import MobileNetV3
from frameworks.paddle.blocks.repvgg import RepVGG, RepVGGBlock
from frameworks.paddle.blocks.residual import ResidualBasic, ResidualBottleneck
from frameworks.paddle.blocks.resnet import ResNet
from frameworks.paddle.blocks.separable import ConvBnAct, DepthwiseSeparable
from frameworks.paddle.blocks.shufflenet import ShuffleNetV2, ShuffleUnit
from frameworks.paddle.blocks.squeezenet import FireModule, SqueezeNet
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
    "residual_basic": ResidualBasic,
    "residual_bottleneck": ResidualBottleneck,
    "resnet": ResNet,
    "inverted_residual": InvertedResidual,
    "mobilenet_v2": MobileNetV2,
    "mobilenet_v3": MobileNetV3,
    "efficientnet": EfficientNet,
    "ghost_bottleneck": GhostBottleneck,
    "ghostnet": GhostNet,
    "shuffle_unit": ShuffleUnit,
    "shufflenet_v2": ShuffleNetV2,
    "fire_module": FireModule,
    "squeezenet": SqueezeNet,
    "convnext_block": ConvNeXtBlock,
    "convnext": ConvNeXt,
    "repvgg_block": RepVGGBlock,
    "repvgg": RepVGG,
}
