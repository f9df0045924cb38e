"""The network that was trained: a small separable one."""

import torch
from torch import nn


class Net(nn.Module):
    """Images (n, 3, h, w) to ``classes`` numbers each."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.pointwise = nn.Conv2d(8, 12, 1, bias=False)
        self.norm = nn.BatchNorm2d(12)
        self.head = nn.Linear(12, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem_norm(self.stem(x)).relu()
        x = self.norm(self.pointwise(self.depthwise(x))).relu()
        return self.head(x.mean((2, 3)))
