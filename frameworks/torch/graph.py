"""Any spec as an ``nn.Module``, from its graph: for blocks that nobody has written by hand."""

from functools import singledispatch

import torch
from torch import nn

from common import layers as spec
from common.spec import INPUT, BlockSpec
from frameworks.torch.layers import Conv2d, LayerNorm2d, LayerScale


class Concat(nn.Module):
    """Joins maps on the channel axis."""

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        return torch.cat(maps, dim=1)


class Add(nn.Module):
    """Elementwise sum."""

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        return torch.stack(maps).sum(0)


class ChannelSlice(nn.Module):
    """Channels ``start`` to ``stop - 1``."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, self.start : self.stop]


class Multiply(nn.Module):
    """Elementwise product; a gate ``[n, c, 1, 1]`` multiplies the whole map."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * y


@singledispatch
def native(layer: spec.Layer) -> nn.Module:
    """PyTorch's layer for a layer of the vocabulary."""
    raise NotImplementedError(f"PyTorch has no layer for {type(layer).__name__}")


def convolution(layer: spec.Conv2d, kind: type[Conv2d] = Conv2d) -> nn.Module:
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
def _(layer: spec.Conv2d) -> nn.Module:
    return convolution(layer)


def norm(layer: spec.BatchNorm2d, kind: type[nn.BatchNorm2d] = nn.BatchNorm2d) -> nn.Module:
    """A norm of class ``kind`` with the layer's settings."""
    return kind(layer.num_features, layer.eps, layer.momentum, layer.affine)


@native.register
def _(layer: spec.BatchNorm2d) -> nn.Module:
    return norm(layer)


@native.register
def _(layer: spec.ReLU) -> nn.Module:
    return nn.ReLU()


@native.register
def _(layer: spec.LeakyReLU) -> nn.Module:
    return nn.LeakyReLU(layer.negative_slope)


@native.register
def _(layer: spec.GroupNorm) -> nn.Module:
    return nn.GroupNorm(layer.num_groups, layer.num_features, layer.eps, layer.affine)


@native.register
def _(layer: spec.LayerNorm2d) -> nn.Module:
    return LayerNorm2d(layer.num_features, layer.eps, layer.affine)


@native.register
def _(layer: spec.LayerScale) -> nn.Module:
    return LayerScale(layer.num_features, layer.value)


@native.register
def _(layer: spec.ReLU6) -> nn.Module:
    return nn.ReLU6()


@native.register
def _(layer: spec.Hardsigmoid) -> nn.Module:
    return nn.Hardsigmoid()


@native.register
def _(layer: spec.Hardswish) -> nn.Module:
    return nn.Hardswish()


@native.register
def _(layer: spec.Sigmoid) -> nn.Module:
    return nn.Sigmoid()


@native.register
def _(layer: spec.SiLU) -> nn.Module:
    return nn.SiLU()


@native.register
def _(layer: spec.GELU) -> nn.Module:
    return nn.GELU(layer.approximate)


@native.register
def _(layer: spec.MaxPool2d) -> nn.Module:
    return nn.MaxPool2d(layer.kernel_size, layer.stride, layer.padding)


@native.register
def _(layer: spec.ChannelShuffle) -> nn.Module:
    return nn.ChannelShuffle(layer.groups)


@native.register
def _(layer: spec.Multiply) -> nn.Module:
    return Multiply()


@native.register
def _(layer: spec.AvgPool2d) -> nn.Module:
    return nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding, count_include_pad=layer.count_include_pad)


@native.register
def _(layer: spec.GlobalAvgPool2d) -> nn.Module:
    return nn.AdaptiveAvgPool2d(1)


@native.register
def _(layer: spec.Flatten) -> nn.Module:
    return nn.Flatten()


@native.register
def _(layer: spec.Dropout) -> nn.Module:
    return nn.Dropout(layer.rate)


@native.register
def _(layer: spec.Linear) -> nn.Module:
    return nn.Linear(layer.in_features, layer.out_features, layer.bias)


@native.register
def _(layer: spec.Softmax) -> nn.Module:
    return nn.Softmax(dim=1)


@native.register
def _(layer: spec.Concat) -> nn.Module:
    return Concat()


@native.register
def _(layer: spec.ChannelSlice) -> nn.Module:
    return ChannelSlice(layer.start, layer.stop)


@native.register
def _(layer: spec.Add) -> nn.Module:
    return Add()


class Graph(nn.Module):
    """The spec's layers under the spec's module paths, called in the spec's order; NCHW."""

    def __init__(self, block: BlockSpec) -> None:
        super().__init__()
        self.nodes = block.nodes
        for node in block.nodes:
            *path, leaf = node.name.split(".")
            parent: nn.Module = self
            for name in path:
                if name not in parent._modules:
                    parent.add_module(name, nn.Module())
                parent = parent.get_submodule(name)
            parent.add_module(leaf, native(node.layer))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {INPUT: x}
        for node in self.nodes:
            values[node.name] = self.get_submodule(node.name)(*(values[name] for name in node.inputs))
        return values[self.nodes[-1].name]
