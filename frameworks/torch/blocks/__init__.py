"""The blocks in PyTorch, by the catalogue's names."""

from torch import nn

from frameworks.torch.blocks.convnext import ConvNeXt, ConvNeXtBlock
from frameworks.torch.blocks.convolutions import DepthwiseConv, GroupedConv, PointwiseConv, StandardConv
from frameworks.torch.blocks.efficientnet import EfficientNet
from frameworks.torch.blocks.ghost import GhostModule
from frameworks.torch.blocks.ghostnet import GhostBottleneck, GhostNet
from frameworks.torch.blocks.inverted import InvertedResidual
from frameworks.torch.blocks.mobilenet import MobileNetV1
from frameworks.torch.blocks.mobilenet_v2 import MobileNetV2
from frameworks.torch.blocks.mobilenet_v3 import MobileNetV3
from frameworks.torch.blocks.repvgg import RepVGG, RepVGGBlock
from frameworks.torch.blocks.residual import ResidualBasic, ResidualBottleneck
from frameworks.torch.blocks.resnet import ResNet
from frameworks.torch.blocks.separable import ConvBnAct, DepthwiseSeparable
from frameworks.torch.blocks.shufflenet import ShuffleNetV2, ShuffleUnit
from frameworks.torch.blocks.squeezenet import FireModule, SqueezeNet
from frameworks.torch.blocks.stacks import ConvStack, SeparableStack

BLOCKS: dict[str, type[nn.Module]] = {
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
