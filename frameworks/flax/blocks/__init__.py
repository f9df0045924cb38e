"""The blocks in Flax (nnx), by the catalogue's names."""

from collections.abc import Callable

from flax import nnx

from frameworks.flax.blocks.convolutions import DepthwiseConv, GroupedConv, PointwiseConv, StandardConv
from frameworks.flax.blocks.ghost import GhostModule
from frameworks.flax.blocks.mobilenet import MobileNetV1
from frameworks.flax.blocks.separable import ConvBnAct, DepthwiseSeparable
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
}
