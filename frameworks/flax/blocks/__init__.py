"""The blocks in Flax (nnx), by the catalogue's names."""

from collections.abc import Callable

from flax import nnx

from frameworks.flax.blocks.convnext import ConvNeXt, ConvNeXtBlock
from frameworks.flax.blocks.convolutions import DepthwiseConv, GroupedConv, PointwiseConv, StandardConv
from frameworks.flax.blocks.efficientnet import EfficientNet
from frameworks.flax.blocks.ghost import GhostModule
from frameworks.flax.blocks.ghostnet import GhostBottleneck, GhostNet
from frameworks.flax.blocks.inverted import InvertedResidual
from frameworks.flax.blocks.mobilenet import MobileNetV1
from frameworks.flax.blocks.mobilenet_v2 import MobileNetV2
from frameworks.flax.blocks.mobilenet_v3 import MobileNetV3
from frameworks.flax.blocks.repvgg import RepVGG, RepVGGBlock
from frameworks.flax.blocks.residual import ResidualBasic, ResidualBottleneck
from frameworks.flax.blocks.resnet import ResNet
from frameworks.flax.blocks.separable import ConvBnAct, DepthwiseSeparable
from frameworks.flax.blocks.shufflenet import ShuffleNetV2, ShuffleUnit
from frameworks.flax.blocks.squeezenet import FireModule, SqueezeNet
from frameworks.flax.blocks.stacks import ConvStack, SeparableStack

BLOCKS: dict[str, Callable[..., nnx.Module]] = {
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
