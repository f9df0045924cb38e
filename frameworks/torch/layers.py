"""What PyTorch's own layers lack: a convolution padded differently on two sides."""

import torch
import torch.nn.functional as F
from torch import nn

from common.layers import Padding, Pair


class Conv2d(nn.Conv2d):
    """``nn.Conv2d`` whose padding is ``((top, bottom), (left, right))``; NCHW.

    ``nn.Conv2d`` pads both sides alike and refuses ``"same"`` with a stride (pytorch#3867); unequal sides are padded
    in a step of their own.
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
        own = (top, left) if equal else 0
        super().__init__(in_channels, out_channels, kernel_size, stride, own, dilation, groups, bias)
        self.sides = None if equal else (left, right, top, bottom)

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name in nn.Conv2d
        return super().forward(input if self.sides is None else F.pad(input, self.sides))
