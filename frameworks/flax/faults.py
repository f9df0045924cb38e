"""Layers with mistakes that people make in Flax (see `common.faults`). Importing this adds them to the graph."""
# Flax's annotations allow values that these layers never have, and signatures that these layers narrow.
# pyright: reportArgumentType=false, reportIncompatibleMethodOverride=false, reportOperatorIssue=false, reportGeneralTypeIssues=false

import functools

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from common.faults import layers as faulty
from common.faults.edits import Edit
from frameworks.flax.graph import Function, convolution, native, norm


def _convolved(layer: nnx.Conv, x: jax.Array, kernel: jax.Array, padding: object) -> jax.Array:
    y = lax.conv_general_dilated(
        x,
        kernel,
        layer.strides,
        padding,
        rhs_dilation=layer.kernel_dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=layer.feature_group_count,
    )
    return y if layer.bias is None else y + layer.bias


def _normalised(layer: nnx.BatchNorm, x: jax.Array, mean: jax.Array, deviation: jax.Array) -> jax.Array:
    return (x - mean) / deviation * layer.scale + layer.bias


class ReplicatedConv(nnx.Conv):
    def __call__(self, inputs: jax.Array) -> jax.Array:
        padded = jnp.pad(inputs, ((0, 0), *self.padding, (0, 0)), mode="edge")
        return _convolved(self, padded, self.kernel[...], "VALID")


class HalfConv(nnx.Conv):
    def __call__(self, inputs: jax.Array) -> jax.Array:
        kernel = self.kernel[...].astype(jnp.float16).astype(inputs.dtype)
        return _convolved(self, inputs, kernel, self.padding)


class DetachedConv(nnx.Conv):
    def __call__(self, inputs: jax.Array) -> jax.Array:
        return _convolved(self, inputs, lax.stop_gradient(self.kernel[...]), self.padding)


class ScaledDropout(nnx.Dropout):
    def __call__(self, inputs: jax.Array) -> jax.Array:
        return inputs * (1 - self.rate) if self.deterministic else inputs


class FrozenBatchNorm(nnx.BatchNorm):
    def __call__(self, x: jax.Array) -> jax.Array:
        return super().__call__(x, use_running_average=True)


class DetachedBatchNorm(nnx.BatchNorm):
    def __call__(self, x: jax.Array) -> jax.Array:
        y = super().__call__(x)
        if self.use_running_average:
            return y
        fixed = lax.stop_gradient(x)
        mean, var = fixed.mean((0, 1, 2)), fixed.var((0, 1, 2))
        return _normalised(self, x, mean, jnp.sqrt(var + self.epsilon))


class UnbiasedBatchNorm(nnx.BatchNorm):
    def __call__(self, x: jax.Array) -> jax.Array:
        old_part = self.momentum * self.var[...]
        y = super().__call__(x)
        if not self.use_running_average:
            self.var[...] = old_part + (1 - self.momentum) * x.var((0, 1, 2), ddof=1)
        return y


class EpsOutsideBatchNorm(nnx.BatchNorm):
    def __call__(self, x: jax.Array) -> jax.Array:
        return _normalised(self, x, self.mean[...], jnp.sqrt(self.var[...]) + self.epsilon)


@native.register
def _(layer: faulty.ReplicatedConv2d, rngs: nnx.Rngs) -> nnx.Module:
    return convolution(layer, rngs, ReplicatedConv)


@native.register
def _(layer: faulty.HalfConv2d, rngs: nnx.Rngs) -> nnx.Module:
    return convolution(layer, rngs, HalfConv)


@native.register
def _(layer: faulty.DetachedConv2d, rngs: nnx.Rngs) -> nnx.Module:
    return convolution(layer, rngs, DetachedConv)


@native.register
def _(layer: faulty.Detached, rngs: nnx.Rngs) -> nnx.Module:
    return Function(lax.stop_gradient)


@native.register
def _(layer: faulty.HardGradientLeakyReLU, rngs: nnx.Rngs) -> nnx.Module:
    def leaky(x: jax.Array) -> jax.Array:
        hard = nnx.relu(x)
        return hard + lax.stop_gradient(nnx.leaky_relu(x, layer.negative_slope) - hard)

    return Function(leaky)


@native.register
def _(layer: faulty.NhwcFlatten, rngs: nnx.Rngs) -> nnx.Module:
    return Function(lambda x: x.reshape(len(x), -1))


@native.register
def _(layer: faulty.BatchSoftmax, rngs: nnx.Rngs) -> nnx.Module:
    return Function(functools.partial(nnx.softmax, axis=0))


@native.register
def _(layer: faulty.ScaledDropout, rngs: nnx.Rngs) -> nnx.Module:
    return ScaledDropout(layer.rate, rngs=rngs)


@native.register
def _(layer: faulty.FrozenBatchNorm2d, rngs: nnx.Rngs) -> nnx.Module:
    return norm(layer, rngs, FrozenBatchNorm)


@native.register
def _(layer: faulty.DetachedBatchNorm2d, rngs: nnx.Rngs) -> nnx.Module:
    return norm(layer, rngs, DetachedBatchNorm)


@native.register
def _(layer: faulty.OtherVarianceBatchNorm2d, rngs: nnx.Rngs) -> nnx.Module:
    return norm(layer, rngs, UnbiasedBatchNorm)


@native.register
def _(layer: faulty.EpsOutsideBatchNorm2d, rngs: nnx.Rngs) -> nnx.Module:
    return norm(layer, rngs, EpsOutsideBatchNorm)


# Mistakes in the text of the blocks: see `common.faults.edits`.
EDITS = {
    "written: padding on the other side": Edit(
        "convolutions",
        "padding=padding,\n            kernel_dilation=dilation,\n            use_bias",
        "padding=[side[::-1] for side in padding],\n            kernel_dilation=dilation,\n            use_bias",
    ),
    "written: stride for dilation": Edit(
        "separable",
        "stride,\n            padding,\n            dilation,\n            groups",
        "dilation,\n            padding,\n            stride,\n            groups",
    ),
    "written: activation before norm": Edit(
        "separable",
        "nnx.leaky_relu(self.norm(self.conv(x)), self.negative_slope)",
        "self.norm(nnx.leaky_relu(self.conv(x), self.negative_slope))",
    ),
    "written: norm eps": Edit("separable", "epsilon=eps, ", ""),
    "written: momentum": Edit("separable", "momentum=1 - momentum", "momentum=momentum"),
    "written: concat order": Edit("ghost", "[primary, cheap]", "[cheap, primary]", "slice"),
    "written: activation too many": Edit(
        "stacks",
        "self.pointwise(self.depthwise(x))",
        "self.pointwise(nnx.leaky_relu(self.depthwise(x), self.negative_slope))",
    ),
    "written: stride a block late": Edit("mobilenet", "(128, 2), (128, 1)", "(128, 1), (128, 2)"),
    "written: depthwise part detached": Edit(
        "separable",
        "x = self.depthwise(x)",
        "x = jax.lax.stop_gradient(self.depthwise(x))",
        "depthwise.act",
    ),
}
