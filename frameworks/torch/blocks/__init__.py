"""The blocks in PyTorch, by the catalogue's names."""

from torch import nn

from frameworks.torch.blocks.convolutions import DepthwiseConv, GroupedConv, PointwiseConv, StandardConv
from frameworks.torch.blocks.ghost import GhostModule
from frameworks.torch.blocks.mobilenet import MobileNetV1
from frameworks.torch.blocks.separable import ConvBnAct, DepthwiseSeparable
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
}
