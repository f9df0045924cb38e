"""Small networks of PyTorch, each of a kind that public code has, with a partner that is the same function or not."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


class Made(nn.Module):
    """A module of the given parts, and a function of them and the inputs."""

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *xs: Any) -> Any:
        return self.function(self, *xs)


def conv(width: int = 4, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(3, width, kernel)


def tail(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(conv(), *layers)


def headed(inplace: bool) -> nn.Module:
    return nn.Sequential(nn.ReLU(inplace), conv())


def functional_dropout() -> nn.Module:
    return Made(lambda net, x: F.dropout(net.conv(x), 0.2, net.training), conv=conv())


def noisy() -> nn.Module:
    return Made(lambda net, x: net.conv(x) + net.training * torch.rand(1), conv=conv())


class DropPath(nn.Module):
    drop_prob = 0.2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rand(len(x), 1, 1, 1).lt(0.8) if self.training else x


def several(kind: str) -> nn.Module:
    def both(net: Any, x: torch.Tensor) -> Any:
        low = net.low(x)
        high = net.high(low.relu())
        return {"dict": {"low": low, "high": high}, "tuple": (low, high), "one": high}[kind]

    return Made(both, low=conv(), high=nn.Conv2d(4, 2, 1))


def two_inputs(swapped: bool = False) -> nn.Module:
    def add(net: Any, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return net.conv(x) + net.line(z).unsqueeze(-1).unsqueeze(-1) * (1 + swapped)

    return Made(add, conv=conv(), line=nn.Linear(5, 4))


def twice(shared: str) -> nn.Module:
    """One convolution and norm at two scales, by one name, by two, or as two modules with the same arrays."""
    one, other = conv(), conv()
    other.weight, other.bias = one.weight, one.bias
    norm = nn.BatchNorm2d(4)

    def add(net: Any, x: torch.Tensor) -> torch.Tensor:
        again = getattr(net, "other", net.one)
        return net.norm(net.one(x)) - net.norm(again(2 * x.flip(3)))

    return Made(add, one=one, **({"other": one if shared == "module" else other} if shared else {}), norm=norm)


def normed(how: str) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        weight_norm = nn.utils.weight_norm if how == "old" else nn.utils.parametrizations.weight_norm
        return nn.Sequential(weight_norm(conv()))


def blurred(how: str, factor: float = 1.0) -> nn.Module:
    kernel = factor * torch.tensor([1.0, 2, 1]) / 4

    def blur(net: Any, x: torch.Tensor) -> torch.Tensor:
        return net.conv(x) * (net.kernel if how == "buffer" else kernel).sum() + kernel[1]

    return Made(blur, conv=conv(), **({"kernel": kernel.clone()} if how == "buffer" else {}))


def scaled(name: str, shape: tuple[int, ...]) -> nn.Module:
    def scale(net: Any, x: torch.Tensor) -> torch.Tensor:
        return net.conv(x) * getattr(net, name).reshape(-1, 1, 1)

    return Made(scale, conv=conv(), **{name: nn.Parameter(torch.ones(shape))})


def excited(linear: bool) -> nn.Module:
    def excite(net: Any, x: torch.Tensor) -> torch.Tensor:
        mean = x.mean((2, 3), keepdim=not linear)
        return x * net.squeeze(mean).sigmoid().reshape(len(x), 3, 1, 1)

    return Made(excite, squeeze=nn.Linear(3, 3) if linear else nn.Conv2d(3, 3, 1))


class NormRelu(nn.BatchNorm2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the base class
        return super().forward(input).relu()


def activated(fused: bool, eps: float = 1e-5) -> nn.Module:
    norm, activation = (NormRelu, nn.Identity) if fused else (nn.BatchNorm2d, nn.ReLU)
    second = nn.Conv2d(4, 4, 1)
    return nn.Sequential(conv(), norm(4), activation(), second, norm(4, eps=eps), activation())


def branches(order: str) -> nn.Module:
    """Norms of one shape, in branches that run in another order than in the partner."""
    parts = {"same": nn.BatchNorm2d(3), "one": nn.BatchNorm2d(3), "conv": nn.Conv2d(3, 3, 1, bias=False)}

    def add(net: Any, x: torch.Tensor) -> torch.Tensor:
        if order == "same first":
            y = net.same(x)
            return net.one(net.conv(x)) + y
        return net.one(net.conv(x)) + net.same(x)

    return Made(add, **(parts if order == "same first" else dict(reversed(parts.items()))))


def cast(how: bool) -> nn.Module:
    def soften(net: Any, x: torch.Tensor) -> torch.Tensor:
        y = net.conv(x)
        return torch.softmax(y.float(), 1, dtype=torch.float32).to(torch.float32) if how else y.softmax(1)

    return Made(soften, conv=conv())


class Attention(nn.Module):
    """Self-attention of one head, as PyTorch has it or with three linear layers."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.whole = nn.MultiheadAttention(8, 1, batch_first=True) if fused else None
        if not fused:
            self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.whole is not None:
            return self.whole(x, x, x, need_weights=False)[0]
        return self.out(F.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x)))
