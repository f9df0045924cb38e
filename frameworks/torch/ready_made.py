"""PyTorch's ready-made form of a block: its layers in ``nn.Sequential``, to compare ours with."""

from collections import OrderedDict

from torch import nn

from common import layers as spec
from common.names import known
from common.spec import BlockSpec
from common.spec.catalogue import PLAIN
from frameworks.torch.graph import native


def _layer(layer: spec.Layer) -> nn.Module:
    if not isinstance(layer, spec.Conv2d):
        return native(layer)
    (top, bottom), (left, right) = layer.padding
    if top != bottom or left != right:
        raise ValueError(f"nn.Conv2d pads both sides alike, not by {layer.padding}")
    sizes = (layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, (top, left), layer.dilation)
    return nn.Conv2d(*sizes, layer.groups, layer.bias)


def ready_made(block: BlockSpec) -> nn.Module:
    """The block under the spec's module paths; NCHW.

    Raises:
        ValueError: for a block that PyTorch does not have, or not with these options.
    """
    known("ready-made block of torch", block.family, PLAIN)
    return nn.Sequential(OrderedDict((node.name, _layer(node.layer)) for node in block.nodes))
