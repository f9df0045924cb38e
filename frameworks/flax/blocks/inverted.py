"""The inverted residual of MobileNetV2, MobileNetV3 and EfficientNet in Flax."""

from typing import Any

import jax
from flax import nnx

from common.layers.values import Pair
from frameworks.flax.blocks.residual import ConvNorm

ACTIVATIONS = {"relu": nnx.relu, "relu6": nnx.relu6, "hardswish": nnx.hard_swish, "silu": nnx.silu}
GATES = {"hardsigmoid": nnx.hard_sigmoid, "sigmoid": nnx.sigmoid}


def divisible(channels: float) -> int:
    """The nearest multiple of 8 that is at least 8 and at least 0.9 ``channels``."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class SqueezeExcite(nnx.Module):
    """The map times a gate in (0, 1) for each channel, computed from the means of all channels.

    Porting notes: the mean is over the axes 1 and 2, with ``keepdims=True`` so that the gate is ``[n, 1, 1, c]``; the
    axes 2 and 3 of NCHW code would be the width and the channels, and raise nothing. ``nnx.hard_sigmoid`` is ``relu6(x
    + 3) / 6``; Keras's of old was ``clip(0.2 x + 0.5, 0, 1)``.
    """

    def __init__(self, channels: int, squeeze: int, act: str, gate: str, *, rngs: nnx.Rngs) -> None:
        self.reduce = nnx.Conv(channels, squeeze, (1, 1), rngs=rngs)
        self.act = ACTIVATIONS[act]
        self.expand = nnx.Conv(squeeze, channels, (1, 1), rngs=rngs)
        self.gate = GATES[gate]

    def __call__(self, x: jax.Array) -> jax.Array:
        gate = self.expand(self.act(self.reduce(x.mean((1, 2), keepdims=True))))
        return x * self.gate(gate)


class InvertedResidual(nnx.Module):
    """1 x 1 to ``hidden`` channels, depthwise, maybe squeeze-excite, 1 x 1 to ``out_channels``; NHWC.

    Porting notes: the depthwise kernel is ``[kh, kw, 1, hidden]``: ``feature_group_count`` is ``hidden``. ``momentum``
    is 1 - PyTorch's. EfficientNet's activation is ``nnx.silu``, which is also ``nnx.swish``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: int,
        kernel_size: Pair = (3, 3),
        stride: Pair = (1, 1),
        act: str = "relu6",
        squeeze: int = 0,
        squeeze_act: str = "relu",
        gate: str = "hardsigmoid",
        eps: float = 1e-5,
        momentum: float = 0.1,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        norm: dict[str, Any] = {"eps": eps, "momentum": momentum}
        layer, expanded = ACTIVATIONS[act], hidden != in_channels
        self.expand = ConvNorm(in_channels, hidden, act=layer, **norm, rngs=rngs) if expanded else nnx.identity
        self.depthwise = ConvNorm(hidden, hidden, kernel_size, stride, layer, hidden, **norm, rngs=rngs)
        self.squeeze = SqueezeExcite(hidden, squeeze, squeeze_act, gate, rngs=rngs) if squeeze else nnx.identity
        self.project = ConvNorm(hidden, out_channels, **norm, rngs=rngs)
        self.adds = stride == (1, 1) and in_channels == out_channels

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.squeeze(self.depthwise(self.expand(x)))
        y = self.project(y)
        return x + y if self.adds else y
