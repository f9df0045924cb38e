"""The oracle in training: batch statistics, gradients, running statistics and optimiser steps, in plain NumPy.

Every rule is derived by hand from the layer's definition, and verified by central differences. Dropout has no rule
for a rate above 0: its mask is random in every framework, so blocks are compared without it (`without_dropout`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import singledispatch

import numpy as np

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
from common.layers.values import Padding, Pair, Shape
from common.oracle.optimisers import SGD, Optimiser, updater
from common.oracle.reference import forward, per_channel, taps
from common.spec import INPUT, BlockSpec, Node
from common.spec.params import Arrays

Gradients = tuple[list[np.ndarray], Arrays]  # of the inputs, and of the arrays by local name


def without_dropout(spec: BlockSpec) -> BlockSpec:
    """The block with every dropout rate 0, which is what training is compared on."""
    nodes = tuple(replace(node, layer=Dropout(0.0)) if isinstance(node.layer, Dropout) else node for node in spec.nodes)
    options = {**spec.options, "dropout": 0.0} if "dropout" in spec.options else spec.options
    return replace(spec, nodes=nodes, options=options)


def statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of each channel of an NCHW array."""
    return x.mean((0, 2, 3)), x.var((0, 2, 3))


def normalise(
    layer: BatchNorm2d, params: Mapping[str, np.ndarray], x: np.ndarray, mean: np.ndarray, var: np.ndarray
) -> np.ndarray:
    """A norm's output for given statistics."""
    return forward(layer, {**params, "running_mean": mean, "running_var": var}, x)


def untaps(values: np.ndarray, shape: Shape, stride: Pair, padding: Padding, dilation: Pair = (1, 1)) -> np.ndarray:
    """The adjoint of `reference.taps`: adds each ``[n, c, h_out, w_out, kh, kw]`` value to where it was read."""
    (top, bottom), (left, right) = padding
    n, c, h, w = shape
    padded = np.zeros((n, c, h + top + bottom, w + left + right), values.dtype)
    rows, columns, kh, kw = values.shape[2:]
    for a in range(kh):
        for b in range(kw):
            i, j = a * dilation[0], b * dilation[1]
            padded[:, :, i : i + stride[0] * rows : stride[0], j : j + stride[1] * columns : stride[1]] += values[
                ..., a, b
            ]
    return padded[:, :, top : top + h, left : left + w]


def conv2d_input_gradient(dy: np.ndarray, weight: np.ndarray, layer: Conv2d, shape: Shape) -> np.ndarray:
    """``dx[c] = sum over o, a, b of w[o, c, a, b] dy[o]`` at the pixels that read x."""
    n, _, height, width = dy.shape
    groups, (kh, kw) = layer.groups, layer.kernel_size
    kernels = weight.reshape(groups, layer.out_channels // groups, -1, kh, kw)
    cotangents = dy.reshape(n, groups, -1, height * width)
    values = np.stack(
        [kernels[..., a, b].swapaxes(1, 2) @ cotangents for a in range(kh) for b in range(kw)], -1
    ).reshape(n, layer.in_channels, height, width, kh, kw)
    return untaps(values, shape, layer.stride, layer.padding, layer.dilation)


def conv2d_weight_gradient(x: np.ndarray, dy: np.ndarray, layer: Conv2d) -> np.ndarray:
    """``dw[o, c, a, b] = sum over n, i, j of dy[n, o, i, j] x[n, c, ...]``."""
    n, _, height, width = dy.shape
    groups, (kh, kw) = layer.groups, layer.kernel_size
    windows = taps(x, layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    cotangents = dy.reshape(n, groups, -1, height * width)
    weight = [
        (cotangents @ windows[..., a, b].reshape(n, groups, -1, height * width).swapaxes(2, 3)).sum(0)
        for a in range(kh)
        for b in range(kw)
    ]
    return np.stack(weight, -1).reshape(layer.weight_shape)


@singledispatch
def backward(layer: Layer, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    """Gradients of ``sum(y * dy)`` in training mode, from the layer's inputs, output and its cotangent."""
    raise NotImplementedError(f"the reference has no gradient for {type(layer).__name__}")


@backward.register
def _(layer: Conv2d, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    arrays = {"weight": conv2d_weight_gradient(inputs[0], dy, layer)}
    if layer.bias:
        arrays["bias"] = dy.sum((0, 2, 3))
    return [conv2d_input_gradient(dy, params["weight"], layer, inputs[0].shape)], arrays


@backward.register
def _(layer: BatchNorm2d, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    mean, var = statistics(inputs[0])
    inverse = 1 / np.sqrt(per_channel(var) + layer.eps)
    unit = (inputs[0] - per_channel(mean)) * inverse
    arrays = {"weight": (dy * unit).sum((0, 2, 3)), "bias": dy.sum((0, 2, 3))} if layer.affine else {}
    d = dy * per_channel(params["weight"]) if layer.affine else dy
    dx = inverse * (d - d.mean((0, 2, 3), keepdims=True) - unit * (d * unit).mean((0, 2, 3), keepdims=True))
    return [dx], arrays


@backward.register(ReLU)
@backward.register(LeakyReLU)
def _(layer: ReLU | LeakyReLU, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    slope = layer.negative_slope if isinstance(layer, LeakyReLU) else 0.0
    return [np.where(inputs[0] > 0, dy, slope * dy)], {}


@backward.register
def _(layer: AvgPool2d, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    sides = ((layer.padding[0], layer.padding[0]), (layer.padding[1], layer.padding[1]))
    counts: np.ndarray | float = float(np.prod(layer.kernel_size))
    if not layer.count_include_pad:
        counts = taps(np.ones_like(inputs[0]), layer.kernel_size, layer.stride, sides).sum((-2, -1))
    values = np.broadcast_to((dy / counts)[..., None, None], (*dy.shape, *layer.kernel_size))
    return [untaps(values, inputs[0].shape, layer.stride, sides)], {}


@backward.register
def _(layer: GlobalAvgPool2d, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    return [np.broadcast_to(dy / np.prod(inputs[0].shape[2:]), inputs[0].shape)], {}


@backward.register
def _(layer: Flatten, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    return [dy.reshape(inputs[0].shape)], {}


@backward.register
def _(layer: Dropout, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    if layer.rate:
        raise ValueError(f"dropout (rate={layer.rate}) is random in training: compare the block `without_dropout`")
    return [dy], {}


@backward.register
def _(layer: Linear, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    arrays = {"weight": dy.T @ inputs[0], "bias": dy.sum(0)} if layer.bias else {"weight": dy.T @ inputs[0]}
    return [dy @ params["weight"]], arrays


@backward.register
def _(layer: Softmax, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    return [y * (dy - (y * dy).sum(1, keepdims=True))], {}


@backward.register
def _(layer: Concat, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    return np.split(dy, np.cumsum([x.shape[1] for x in inputs])[:-1], 1), {}


@backward.register
def _(layer: ChannelSlice, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    dx = np.zeros_like(inputs[0])
    dx[:, layer.start : layer.stop] = dy
    return [dx], {}


@backward.register
def _(layer: Add, params: Arrays, inputs: list[np.ndarray], y: np.ndarray, dy: np.ndarray) -> Gradients:
    return [dy] * len(inputs), {}


class Exact:
    """What a training pass may disturb, here not at all; `common.oracle.rounding` puts rounding in its place."""

    def begin(self) -> None:
        """A pass begins."""

    def output(self, node: Node, params: Arrays, inputs: list[np.ndarray], y: np.ndarray) -> np.ndarray:
        return y

    def moments(self, node: Node, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return mean, var

    def gradients(
        self, node: Node, params: Arrays, inputs: list[np.ndarray], dy: np.ndarray, found: Gradients
    ) -> Gradients:
        return found

    def cotangent(self, node: Node, dy: np.ndarray) -> np.ndarray:
        """The gradient of the node's output, from all that read it."""
        return dy

    def mask(self, node: Node, x: np.ndarray) -> np.ndarray:
        """The input by whose sign an activation decides what gradient to pass."""
        return x

    def loss(self, logits: np.ndarray, losses: np.ndarray, dy: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean of the samples' cross-entropies, and its gradient ``dy`` by the logits."""
        return float(losses.mean()), dy

    def complement(self, power: float) -> float:
        """``1 - power``, by which Adam divides its moments."""
        return 1 - power

    def state(self, arrays: Arrays) -> Arrays:
        """The arrays as they are stored after a step."""
        return arrays


@dataclass
class Pass:
    """One training pass: outputs by node, gradients by canonical name (and ``input``), new running statistics.

    ``cotangents`` are the gradients of every node's output.
    """

    values: dict[str, np.ndarray]
    gradients: Arrays
    cotangents: dict[str, np.ndarray]
    statistics: Arrays


def train(
    spec: BlockSpec,
    params: Arrays,
    x: np.ndarray,
    dy: np.ndarray | Callable[[np.ndarray], np.ndarray] | None,
    disturb: Exact | None = None,
) -> Pass:
    """Forward in training mode and, for a cotangent ``dy`` of the output, backward; float64, NCHW.

    ``dy`` may be a function of the output: the gradient of a loss.

    Raises:
        ValueError: if the block has dropout.
    """
    disturb = disturb or Exact()
    disturb.begin()
    values, found = {INPUT: x.astype(np.float64)}, Pass({}, {}, {}, {})
    arrays = {
        node.name: {p.name: params[f"{node.name}.{p.name}"].astype(np.float64) for p in node.layer.params()}
        for node in spec.nodes
    }
    for node in spec.nodes:
        inputs, own = [values[name] for name in node.inputs], arrays[node.name]
        if isinstance(node.layer, BatchNorm2d):
            mean, var = disturb.moments(node, inputs[0], *statistics(inputs[0]))
            y = normalise(node.layer, own, inputs[0], mean, var)
            n = inputs[0].size // inputs[0].shape[1]
            kept = var * n / max(n - 1, 1) if node.layer.unbiased_running_var else var
            for leaf, new in (("running_mean", mean), ("running_var", kept)):
                momentum = node.layer.momentum
                found.statistics[f"{node.name}.{leaf}"] = (1 - momentum) * own[leaf] + momentum * new
        else:
            y = forward(node.layer, own, *inputs)
        values[node.name] = disturb.output(node, own, inputs, y)
    found.values = values
    if dy is None:
        return found
    dy = dy(values[spec.nodes[-1].name]) if callable(dy) else dy
    cotangents: dict[str, np.ndarray] = {spec.nodes[-1].name: dy.astype(np.float64)}
    for node in reversed(spec.nodes):
        inputs, own = [values[name] for name in node.inputs], arrays[node.name]
        cotangent = disturb.cotangent(node, cotangents.get(node.name, np.zeros_like(values[node.name])))
        cotangents[node.name] = cotangent
        if isinstance(node.layer, (ReLU, LeakyReLU)):
            inputs = [disturb.mask(node, inputs[0])]
        exact = backward(node.layer, own, inputs, values[node.name], cotangent)
        given, mine = disturb.gradients(node, own, inputs, cotangent, exact)
        for name, gradient in zip(node.inputs, given, strict=True):
            cotangents[name] = cotangents[name] + gradient if name in cotangents else gradient
        found.gradients |= {f"{node.name}.{leaf}": gradient for leaf, gradient in mine.items()}
    found.gradients[INPUT] = cotangents.get(INPUT, np.zeros_like(values[INPUT]))
    found.cotangents = cotangents
    return found


def trajectory(
    spec: BlockSpec,
    params: Arrays,
    batches: list[tuple[np.ndarray, np.ndarray]],
    optimiser: Optimiser | None,
    disturb: Exact | None = None,
) -> tuple[list[Arrays], list[Pass]]:
    """All arrays after each step on ``sum(y * dy)``, running statistics included, in float64; and the passes.

    Without an optimiser nothing is differentiated and only the running statistics move.
    """
    disturb = disturb or Exact()
    update, states, passes = updater(optimiser or SGD(), disturb.complement), [], []
    state = {name: array.astype(np.float64) for name, array in params.items()}
    for x, dy in batches:
        found = train(spec, state, x, dy if optimiser else None, disturb)
        state = disturb.state(update(state, found.gradients) | found.statistics)
        states.append(state)
        passes.append(found)
    return states, passes
