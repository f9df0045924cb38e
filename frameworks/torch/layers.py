"""What PyTorch's layers lack: unequal padding, norms over channels, layer scale, and exact forms for checks."""

import torch
import torch.nn.functional as F
from torch import nn

from common.layers.values import Padding, Pair


class Conv2d(nn.Conv2d):
    """``nn.Conv2d`` whose padding is ``((top, bottom), (left, right))``; NCHW.

    ``nn.Conv2d`` pads both sides alike and refuses ``"same"`` with a stride (pytorch#3867). Here ``F.pad`` pads unequal
    sides before the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: Pair = (1, 1),
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        (top, bottom), (left, right) = padding
        equal = top == bottom and left == right
        in_conv = (top, left) if equal else 0
        super().__init__(in_channels, out_channels, kernel_size, stride, in_conv, dilation, groups, bias)
        self.sides = None if equal else (left, right, top, bottom)

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.Conv2d
        return super().forward(input if self.sides is None else F.pad(input, self.sides))


class LayerNorm2d(nn.LayerNorm):
    """``nn.LayerNorm`` over the channels of an NCHW map; the stock layer normalises the last axis."""

    def __init__(self, channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        super().__init__(channels, eps, affine)

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.LayerNorm
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """A trained factor for each channel of an NCHW map, which starts at ``value``."""

    def __init__(self, channels: int, value: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight[:, None, None]


class BiasedBatchNorm2d(nn.BatchNorm2d):
    """``nn.BatchNorm2d`` whose running variance averages the biased batch variance, as Paddle's and Flax's do.

    The stock layer averages n / (n - 1) times that (pytorch#77427); outputs and gradients are the same.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.BatchNorm2d
        if not self.training:
            return super().forward(input)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        with torch.no_grad():
            self.running_mean.lerp_(input.mean((0, 2, 3)), self.momentum)
            self.running_var.lerp_(input.var((0, 2, 3), correction=0), self.momentum)
        return F.batch_norm(input, None, None, self.weight, self.bias, training=True, eps=self.eps)


class ExactHardsigmoid(nn.Module):
    """``relu6(x + 3) / 6``: the gradient of ``nn.Hardsigmoid`` is a sixth rounded to float32, even in float64."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu6(x + 3) / 6


def exact(module: nn.Module) -> nn.Module:
    """The module itself, or its replacement that follows the spec where the module differs."""
    if type(module) is nn.BatchNorm2d:
        return BiasedBatchNorm2d(module.num_features, module.eps, module.momentum, module.affine)
    return ExactHardsigmoid() if type(module) is nn.Hardsigmoid else module


def with_exact_layers(module: nn.Module) -> nn.Module:
    """The module with every layer in it replaced by its `exact` form, if it has one."""
    for name, child in module.named_children():
        setattr(module, name, exact(with_exact_layers(child)))
    return module
