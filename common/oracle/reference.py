"""The oracle: runs any spec from its layer graph in plain NumPy, in the precision of its inputs (float64 in checks).

Independent of every framework, written to be read: one rule a layer, NCHW in and out.
"""

from collections.abc import Callable, Mapping
from functools import singledispatch

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from common.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    ChannelSlice,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Softmax,
)
from common.layers.values import Padding, Pair
from common.spec import INPUT, BlockSpec, Node
from common.spec.params import Arrays


def taps(x: np.ndarray, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair = (1, 1)) -> np.ndarray:
    """A view ``[n, c, h_out, w_out, kh, kw]`` of the values that each output pixel reads."""
    (dh, dw), (sh, sw) = dilation, stride
    padded = np.pad(x, ((0, 0), (0, 0), *padding))
    extent = (dh * (kernel[0] - 1) + 1, dw * (kernel[1] - 1) + 1)
    return sliding_window_view(padded, extent, axis=(2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]  # type: ignore[call-overload]


def conv2d(x: np.ndarray, weight: np.ndarray, layer: Conv2d) -> np.ndarray:
    """The cross-correlation alone, without bias: ``y[n, o, i, j] = sum over c, a, b of w[o, c, a, b] * x[...]``."""
    n, groups = x.shape[0], layer.groups
    windows = taps(x, layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    height, width, kh, kw = windows.shape[2:]
    kernels = weight.reshape(groups, layer.out_channels // groups, -1, kh, kw)
    y = np.zeros((n, groups, kernels.shape[1], height * width), x.dtype)
    for a in range(kh):
        for b in range(kw):
            read = windows[..., a, b].reshape(n, groups, -1, height * width)
            # A product with one term needs no matrix multiplication, which is slow for many tiny groups.
            y += kernels[..., a, b] * read if read.shape[2] == 1 else kernels[..., a, b] @ read
    return y.reshape(n, layer.out_channels, height, width)


def per_channel(values: np.ndarray) -> np.ndarray:
    """``[c]`` as ``[1, c, 1, 1]``."""
    return values.reshape(1, -1, 1, 1)


@singledispatch
def forward(layer: Layer, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    """The evaluation-mode output of one layer from its arrays (by local name) and inputs."""
    raise NotImplementedError(f"the reference has no rule for {type(layer).__name__}")


@forward.register
def _(layer: Conv2d, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    y = conv2d(inputs[0], params["weight"], layer)
    return y + per_channel(params["bias"]) if layer.bias else y


@forward.register
def _(layer: BatchNorm2d, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    centred = inputs[0] - per_channel(params["running_mean"])
    y = centred / np.sqrt(per_channel(params["running_var"]) + layer.eps)
    return y * per_channel(params["weight"]) + per_channel(params["bias"]) if layer.affine else y


@forward.register
def _(layer: ReLU, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return np.maximum(inputs[0], 0)


@forward.register
def _(layer: LeakyReLU, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return np.where(inputs[0] > 0, inputs[0], layer.negative_slope * inputs[0])


@forward.register
def _(layer: AvgPool2d, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    sides = ((layer.padding[0], layer.padding[0]), (layer.padding[1], layer.padding[1]))
    total = taps(inputs[0], layer.kernel_size, layer.stride, sides).sum((-2, -1))
    if layer.count_include_pad:
        return total / np.prod(layer.kernel_size)
    return total / taps(np.ones_like(inputs[0]), layer.kernel_size, layer.stride, sides).sum((-2, -1))


@forward.register
def _(layer: GlobalAvgPool2d, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return inputs[0].mean((2, 3), keepdims=True)


@forward.register
def _(layer: Flatten, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return inputs[0].reshape(len(inputs[0]), -1)


@forward.register
def _(layer: Dropout, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return inputs[0]


@forward.register
def _(layer: Linear, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    y = inputs[0] @ params["weight"].T
    return y + params["bias"] if layer.bias else y


@forward.register
def _(layer: Softmax, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    powers = np.exp(inputs[0] - inputs[0].max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@forward.register
def _(layer: Concat, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return np.concatenate(inputs, 1)


@forward.register
def _(layer: ChannelSlice, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return inputs[0][:, layer.start : layer.stop]


@forward.register
def _(layer: Add, params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    return np.sum(inputs, 0)


def local(node: Node, params: Arrays) -> Arrays:
    """The arrays of one node, in float64, by their local names."""
    return {param.name: params[f"{node.name}.{param.name}"].astype(np.float64) for param in node.layer.params()}


def run(
    spec: BlockSpec,
    params: Arrays,
    x: np.ndarray,
    perturb: Callable[[Node, np.ndarray], np.ndarray] = lambda node, y: y,
) -> dict[str, np.ndarray]:
    """The float64 output of every node by name, in evaluation mode, for an NCHW input (kept as ``input``).

    ``perturb(node, output)`` may replace each output before the next layer reads it.
    """
    values = {INPUT: x.astype(np.float64)}
    for node in spec.nodes:
        y = forward(node.layer, local(node, params), *(values[name] for name in node.inputs))
        values[node.name] = perturb(node, y)
    return values
