"""Layers with mistakes that people make in PyTorch (see `common.faults`). Importing this adds them to the graph."""

import torch
import torch.nn.functional as F
from torch import nn

from common.faults import layers as faulty
from common.faults.edits import Edit
from frameworks.torch.graph import convolution, native, norm
from frameworks.torch.layers import BiasedBatchNorm2d, Conv2d


class ReplicatedConv2d(Conv2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.Conv2d
        sides = self.sides or self._reversed_padding_repeated_twice
        padded = F.pad(input, sides, mode="replicate")
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class HalfConv2d(Conv2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.Conv2d
        return self._conv_forward(input, self.weight.half().to(input.dtype), self.bias)


class DetachedConv2d(Conv2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.Conv2d
        return self._conv_forward(input, self.weight.detach(), self.bias)


class Detached(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.detach()


class HardGradientLeakyReLU(nn.LeakyReLU):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.LeakyReLU
        hard = F.relu(input)
        return hard + (super().forward(input) - hard).detach()


class NhwcFlatten(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class ScaledDropout(nn.Module):
    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if self.training else x * (1 - self.rate)


class FrozenBatchNorm2d(nn.BatchNorm2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.BatchNorm2d
        return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class DetachedBatchNorm2d(nn.BatchNorm2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.BatchNorm2d
        if not self.training:
            return super().forward(input)
        with torch.no_grad():
            super().forward(input)  # for the running statistics
            mean, var = input.mean((0, 2, 3)), input.var((0, 2, 3), correction=0)
        return F.batch_norm(input, mean, var, self.weight, self.bias, eps=self.eps)


class EpsOutsideBatchNorm2d(nn.BatchNorm2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.BatchNorm2d
        mean, var, weight, bias = (
            value.view(1, -1, 1, 1)  # type: ignore[union-attr]
            for value in (self.running_mean, self.running_var, self.weight, self.bias)
        )
        return (input - mean) / (var.sqrt() + self.eps) * weight + bias


@native.register
def _(layer: faulty.ReplicatedConv2d) -> nn.Module:
    return convolution(layer, ReplicatedConv2d)


@native.register
def _(layer: faulty.HalfConv2d) -> nn.Module:
    return convolution(layer, HalfConv2d)


@native.register
def _(layer: faulty.DetachedConv2d) -> nn.Module:
    return convolution(layer, DetachedConv2d)


@native.register
def _(layer: faulty.Detached) -> nn.Module:
    return Detached()


@native.register
def _(layer: faulty.HardGradientLeakyReLU) -> nn.Module:
    return HardGradientLeakyReLU(layer.negative_slope)


@native.register
def _(layer: faulty.NhwcFlatten) -> nn.Module:
    return NhwcFlatten()


@native.register
def _(layer: faulty.BatchSoftmax) -> nn.Module:
    return nn.Softmax(dim=0)


@native.register
def _(layer: faulty.ScaledDropout) -> nn.Module:
    return ScaledDropout(layer.rate)


@native.register
def _(layer: faulty.FrozenBatchNorm2d) -> nn.Module:
    return norm(layer, FrozenBatchNorm2d)


@native.register
def _(layer: faulty.DetachedBatchNorm2d) -> nn.Module:
    return norm(layer, DetachedBatchNorm2d)


@native.register
def _(layer: faulty.OtherVarianceBatchNorm2d) -> nn.Module:
    return norm(layer, BiasedBatchNorm2d)


@native.register
def _(layer: faulty.EpsOutsideBatchNorm2d) -> nn.Module:
    return norm(layer, EpsOutsideBatchNorm2d)


# Mistakes in the text of the blocks: see `common.faults.edits`.
EDITS = {
    "written: padding on the other side": Edit(
        "convolutions",
        "kernel_size, stride, padding, dilation, bias=bias)",
        "kernel_size, stride, tuple(side[::-1] for side in padding), dilation, bias=bias)",
    ),
    "written: stride for dilation": Edit(
        "separable",
        "stride,\n            padding,\n            dilation,\n            groups",
        "dilation,\n            padding,\n            stride,\n            groups",
    ),
    "written: activation before norm": Edit(
        "separable", "self.act(self.norm(self.conv(x)))", "self.norm(self.act(self.conv(x)))"
    ),
    "written: norm eps": Edit("separable", "BatchNorm2d(out_channels, eps,", "BatchNorm2d(out_channels, 1e-5,"),
    "written: momentum": Edit("separable", "eps, momentum, affine", "eps, 1 - momentum, affine"),
    "written: concat order": Edit("ghost", "[primary, cheap]", "[cheap, primary]"),
    "written: activation too many": Edit(
        "stacks", "self.pointwise(self.depthwise(x))", "self.pointwise(self.act(self.depthwise(x)))"
    ),
    "written: stride a block late": Edit("mobilenet", "(128, 2), (128, 1)", "(128, 1), (128, 2)"),
    "written: depthwise part detached": Edit("separable", "x = self.depthwise(x)", "x = self.depthwise(x).detach()"),
}
