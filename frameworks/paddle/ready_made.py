"""Paddle's ready-made form of a block: its layers in ``nn.Sequential``, or its MobileNet, to compare ours with."""

from typing import Any

import paddle
from paddle import nn
from paddle.vision.models import mobilenet_v1

from common import layers as spec
from common.names import known
from common.port.alignment import align, leaves
from common.port.weights import nested
from common.spec import BlockSpec
from common.spec.catalogue import PLAIN
from frameworks.paddle import layout
from frameworks.paddle.graph import native

MOBILENET = {"in_channels": 3, "bias": False, "dropout": 0.0, "softmax": False}  # the only values that Paddle's has


def _layer(layer: spec.Layer) -> nn.Layer:
    if not isinstance(layer, spec.Conv2d):
        return native(layer)
    (top, bottom), (left, right) = layer.padding
    sizes = (layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, [top, bottom, left, right])
    return nn.Conv2D(*sizes, layer.dilation, layer.groups, bias_attr=None if layer.bias else False)


class Renamed(nn.LayerDict):
    """A network whose layers have the spec's module paths instead of Paddle's."""

    def __init__(self, network: nn.Layer, block: BlockSpec) -> None:
        object.__setattr__(self, "network", network)  # an ordinary attribute would be a second path to each layer
        shapes = {name: array.shape for name, array in layout.read(network).items()}
        names = align(leaves({param.name: param.shape for param in block.params()}), leaves(shapes)).names
        sublayers = dict(network.named_sublayers())
        super().__init__(_tree(nested({name: sublayers[path] for name, path in names.items()})))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.network(x)


def _tree(layers: dict[str, Any]) -> dict[str, nn.Layer]:
    return {name: nn.LayerDict(_tree(layer)) if isinstance(layer, dict) else layer for name, layer in layers.items()}


def _mobilenet(block: BlockSpec) -> nn.Layer:
    for option, value in MOBILENET.items():
        if block.options[option] != value:
            raise ValueError(f"paddle's mobilenet_v1 has `{option}` {value}, not {block.options[option]}")
    return Renamed(mobilenet_v1(scale=block.options["alpha"], num_classes=block.options["classes"]), block)


def ready_made(block: BlockSpec) -> nn.Layer:
    """The block under the spec's module paths; NCHW.

    Paddle's MobileNetV1 averages over the whole last map. A spec's does so only where ``pool_size`` is that map's size.

    Raises:
        ValueError: for a block that Paddle does not have, or not with these options.
    """
    if known("ready-made block of paddle", block.family, [*PLAIN, "mobilenet_v1"]) == "mobilenet_v1":
        return _mobilenet(block)
    return nn.Sequential(*((node.name, _layer(node.layer)) for node in block.nodes))
