"""Any spec as an ``nn.Layer``, from its graph: for blocks that nobody has written by hand."""

from functools import singledispatch

import paddle
from paddle import nn

from common import layers as spec
from common.spec import INPUT, BlockSpec
from frameworks.paddle.layers import Conv2d, ExactGroupNorm, Hardsigmoid, LayerNorm2D, LayerScale


class Concat(nn.Layer):
    """Joins maps on the channel axis."""

    def forward(self, *maps: paddle.Tensor) -> paddle.Tensor:
        return paddle.concat(maps, axis=1)


class Add(nn.Layer):
    """Elementwise sum."""

    def forward(self, *maps: paddle.Tensor) -> paddle.Tensor:
        return paddle.add_n(maps)


class ChannelSlice(nn.Layer):
    """Channels ``start`` to ``stop - 1``."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x[:, self.start : self.stop]


class Multiply(nn.Layer):
    """Elementwise product; a gate ``[n, c, 1, 1]`` multiplies the whole map."""

    def forward(self, x: paddle.Tensor, y: paddle.Tensor) -> paddle.Tensor:
        return x * y


@singledispatch
def native(layer: spec.Layer) -> nn.Layer:
    """Paddle's layer for a layer of the vocabulary."""
    raise NotImplementedError(f"Paddle has no layer for {type(layer).__name__}")


def convolution(layer: spec.Conv2d, kind: type[Conv2d] = Conv2d) -> nn.Layer:
    """A convolution of class ``kind`` with the layer's sizes."""
    return kind(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups,
        layer.bias,
    )


@native.register
def _(layer: spec.Conv2d) -> nn.Layer:
    return convolution(layer)


def norm(layer: spec.BatchNorm2d, kind: type[nn.BatchNorm2D] = nn.BatchNorm2D) -> nn.Layer:
    """A norm of some class with the layer's settings."""
    attr = None if layer.affine else False
    return kind(layer.num_features, 1 - layer.momentum, layer.eps, weight_attr=attr, bias_attr=attr)


@native.register
def _(layer: spec.BatchNorm2d) -> nn.Layer:
    return norm(layer)


@native.register
def _(layer: spec.ReLU) -> nn.Layer:
    return nn.ReLU()


@native.register
def _(layer: spec.LeakyReLU) -> nn.Layer:
    return nn.LeakyReLU(layer.negative_slope)


@native.register
def _(layer: spec.GroupNorm) -> nn.Layer:
    sizes = (layer.num_groups, layer.num_features, layer.eps)
    return nn.GroupNorm(*sizes) if layer.affine else ExactGroupNorm(*sizes, weight_attr=False, bias_attr=False)


@native.register
def _(layer: spec.LayerNorm2d) -> nn.Layer:
    return LayerNorm2D(layer.num_features, layer.eps, layer.affine)


@native.register
def _(layer: spec.LayerScale) -> nn.Layer:
    return LayerScale(layer.num_features, layer.value)


@native.register
def _(layer: spec.ReLU6) -> nn.Layer:
    return nn.ReLU6()


@native.register
def _(layer: spec.Hardsigmoid) -> nn.Layer:
    return Hardsigmoid()


@native.register
def _(layer: spec.Hardswish) -> nn.Layer:
    return nn.Hardswish()


@native.register
def _(layer: spec.Sigmoid) -> nn.Layer:
    return nn.Sigmoid()


@native.register
def _(layer: spec.SiLU) -> nn.Layer:
    return nn.Silu()


@native.register
def _(layer: spec.GELU) -> nn.Layer:
    return nn.GELU(approximate=layer.approximate == "tanh")


@native.register
def _(layer: spec.MaxPool2d) -> nn.Layer:
    return nn.MaxPool2D(layer.kernel_size, layer.stride, layer.padding)


@native.register
def _(layer: spec.ChannelShuffle) -> nn.Layer:
    return nn.ChannelShuffle(layer.groups)


@native.register
def _(layer: spec.Multiply) -> nn.Layer:
    return Multiply()


@native.register
def _(layer: spec.AvgPool2d) -> nn.Layer:
    return nn.AvgPool2D(layer.kernel_size, layer.stride, layer.padding, exclusive=not layer.count_include_pad)


@native.register
def _(layer: spec.GlobalAvgPool2d) -> nn.Layer:
    return nn.AdaptiveAvgPool2D(1)


@native.register
def _(layer: spec.Flatten) -> nn.Layer:
    return nn.Flatten()


@native.register
def _(layer: spec.Dropout) -> nn.Layer:
    return nn.Dropout(layer.rate)


@native.register
def _(layer: spec.Linear) -> nn.Layer:
    return nn.Linear(layer.in_features, layer.out_features, bias_attr=None if layer.bias else False)


@native.register
def _(layer: spec.Softmax) -> nn.Layer:
    return nn.Softmax(axis=1)


@native.register
def _(layer: spec.Concat) -> nn.Layer:
    return Concat()


@native.register
def _(layer: spec.ChannelSlice) -> nn.Layer:
    return ChannelSlice(layer.start, layer.stop)


@native.register
def _(layer: spec.Add) -> nn.Layer:
    return Add()


class Graph(nn.Layer):
    """The spec's layers under the spec's module paths, called in the spec's order; NCHW."""

    def __init__(self, block: BlockSpec) -> None:
        super().__init__()
        self.nodes = block.nodes
        for node in block.nodes:
            *path, leaf = node.name.split(".")
            parent: nn.Layer = self
            for name in path:
                if name not in dict(parent.named_children()):
                    parent.add_sublayer(name, nn.Layer())
                parent = parent.get_sublayer(name)
            parent.add_sublayer(leaf, native(node.layer))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        values = {INPUT: x}
        for node in self.nodes:
            values[node.name] = self.get_sublayer(node.name)(*(values[name] for name in node.inputs))
        return values[self.nodes[-1].name]
