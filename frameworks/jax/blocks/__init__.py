"""The blocks in JAX, by the catalogue's names: functions ``(params, stats, x, *, options, train) -> (y, stats)``."""

from collections.abc import Callable
from typing import Any

from frameworks.jax.blocks.convnext import convnext, convnext_block
from frameworks.jax.blocks.convolutions import depthwise_conv, grouped_conv, pointwise_conv, standard_conv
from frameworks.jax.blocks.efficientnet import efficientnet
from frameworks.jax.blocks.ghost import ghost_module
from frameworks.jax.blocks.ghostnet import ghost_bottleneck, ghostnet
from frameworks.jax.blocks.inverted import inverted_residual
from frameworks.jax.blocks.mobilenet import mobilenet_v1
from frameworks.jax.blocks.mobilenet_v2 import mobilenet_v2
from frameworks.jax.blocks.mobilenet_v3 import mobilenet_v3
from frameworks.jax.blocks.repvgg import repvgg, repvgg_block
from frameworks.jax.blocks.residual import residual_basic, residual_bottleneck
from frameworks.jax.blocks.resnet import resnet
from frameworks.jax.blocks.separable import conv_bn_act, depthwise_separable
from frameworks.jax.blocks.shufflenet import shuffle_unit, shufflenet_v2
from frameworks.jax.blocks.squeezenet import fire_module, squeezenet
from frameworks.jax.blocks.stacks import conv_stack, separable_stack

BLOCKS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "standard_conv": standard_conv,
    "grouped_conv": grouped_conv,
    "depthwise_conv": depthwise_conv,
    "pointwise_conv": pointwise_conv,
    "conv_bn_act": conv_bn_act,
    "depthwise_separable": depthwise_separable,
    "conv_stack": conv_stack,
    "separable_stack": separable_stack,
    "mobilenet_v1": mobilenet_v1,
    "ghost_module": ghost_module,
    "residual_basic": residual_basic,
    "residual_bottleneck": residual_bottleneck,
    "resnet": resnet,
    "inverted_residual": inverted_residual,
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3": mobilenet_v3,
    "efficientnet": efficientnet,
    "ghost_bottleneck": ghost_bottleneck,
    "ghostnet": ghostnet,
    "shuffle_unit": shuffle_unit,
    "shufflenet_v2": shufflenet_v2,
    "fire_module": fire_module,
    "squeezenet": squeezenet,
    "convnext_block": convnext_block,
    "convnext": convnext,
    "repvgg_block": repvgg_block,
    "repvgg": repvgg,
}
