"""Layers with mistakes that people make in Paddle (see `common.faults`). Importing this adds them to the graph."""
# Paddle's annotations allow values that these layers never have, and signatures that these layers narrow.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false

import paddle
import paddle.nn.functional as F
from paddle import nn

from common.faults import layers as faulty
from common.faults.edits import Edit
from frameworks.paddle.graph import convolution, native, norm
from frameworks.paddle.layers import Conv2d, per_channel


def _convolved(layer: Conv2d, x: paddle.Tensor, weight: paddle.Tensor, padding: object) -> paddle.Tensor:
    return F.conv2d(x, weight, layer.bias, layer._stride, padding, layer._dilation, layer._groups)


class ReplicatedConv2d(Conv2d):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        top, bottom, left, right = self._padding
        return _convolved(self, F.pad(x, [left, right, top, bottom], mode="replicate"), self.weight, 0)


class HalfConv2d(Conv2d):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return _convolved(self, x, self.weight.astype("float16").astype(x.dtype), self._updated_padding)


class DetachedConv2d(Conv2d):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return _convolved(self, x, self.weight.detach(), self._updated_padding)


class Detached(nn.Layer):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x.detach()


class HardGradientLeakyReLU(nn.LeakyReLU):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        hard = F.relu(x)
        return hard + (super().forward(x) - hard).detach()


class NhwcFlatten(nn.Layer):
    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x.transpose((0, 2, 3, 1)).flatten(1)


class FrozenBatchNorm2D(nn.BatchNorm2D):
    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.BatchNorm2D
        return F.batch_norm(input, self._mean, self._variance, self.weight, self.bias, epsilon=self._epsilon)


class DetachedBatchNorm2D(nn.BatchNorm2D):
    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.BatchNorm2D
        if not self.training:
            return super().forward(input)
        with paddle.no_grad():
            super().forward(input)  # for the running statistics
            mean, var = input.mean((0, 2, 3)), input.var((0, 2, 3), unbiased=False)
        return F.batch_norm(input, mean, var, self.weight, self.bias, epsilon=self._epsilon)


class UnbiasedBatchNorm2D(nn.BatchNorm2D):
    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.BatchNorm2D
        old_part = self._momentum * self._variance
        y = super().forward(input)
        if self.training:
            with paddle.no_grad():
                self._variance.set_value(old_part + (1 - self._momentum) * input.var((0, 2, 3)))
        return y


class EpsOutsideBatchNorm2D(nn.BatchNorm2D):
    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.BatchNorm2D
        y = (input - per_channel(self._mean)) / (per_channel(self._variance).sqrt() + self._epsilon)
        return y * per_channel(self.weight) + per_channel(self.bias)


@native.register
def _(layer: faulty.ReplicatedConv2d) -> nn.Layer:
    return convolution(layer, ReplicatedConv2d)


@native.register
def _(layer: faulty.HalfConv2d) -> nn.Layer:
    return convolution(layer, HalfConv2d)


@native.register
def _(layer: faulty.DetachedConv2d) -> nn.Layer:
    return convolution(layer, DetachedConv2d)


@native.register
def _(layer: faulty.Detached) -> nn.Layer:
    return Detached()


@native.register
def _(layer: faulty.HardGradientLeakyReLU) -> nn.Layer:
    return HardGradientLeakyReLU(layer.negative_slope)


@native.register
def _(layer: faulty.NhwcFlatten) -> nn.Layer:
    return NhwcFlatten()


@native.register
def _(layer: faulty.BatchSoftmax) -> nn.Layer:
    return nn.Softmax(axis=0)


@native.register
def _(layer: faulty.ScaledDropout) -> nn.Layer:
    return nn.Dropout(layer.rate, mode="downscale_in_infer")


@native.register
def _(layer: faulty.FrozenBatchNorm2d) -> nn.Layer:
    return norm(layer, FrozenBatchNorm2D)


@native.register
def _(layer: faulty.DetachedBatchNorm2d) -> nn.Layer:
    return norm(layer, DetachedBatchNorm2D)


@native.register
def _(layer: faulty.OtherVarianceBatchNorm2d) -> nn.Layer:
    return norm(layer, UnbiasedBatchNorm2D)


@native.register
def _(layer: faulty.EpsOutsideBatchNorm2d) -> nn.Layer:
    return norm(layer, EpsOutsideBatchNorm2D)


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
    "written: norm eps": Edit("separable", "1 - momentum, eps,", "1 - momentum, 1e-5,"),
    "written: momentum": Edit("separable", "1 - momentum, eps", "momentum, eps"),
    "written: concat order": Edit("ghost", "[primary, cheap]", "[cheap, primary]"),
    "written: activation too many": Edit(
        "stacks", "self.pointwise(self.depthwise(x))", "self.pointwise(self.act(self.depthwise(x)))"
    ),
    "written: stride a block late": Edit("mobilenet", "(128, 2), (128, 1)", "(128, 1), (128, 2)"),
    "written: depthwise part detached": Edit("separable", "x = self.depthwise(x)", "x = self.depthwise(x).detach()"),
}
