"""What Paddle's layers lack: a convolution that takes pairs, layer scale, and norms and pools in float64 throughout."""

import paddle
import paddle.nn.functional as F
from paddle import nn

from common.layers.values import Padding, Pair, pair


class Conv2d(nn.Conv2D):
    """``nn.Conv2D`` whose padding is ``((top, bottom), (left, right))``; NCHW.

    ``nn.Conv2D`` takes unequal sides as ``[top, bottom, left, right]`` and refuses two pairs.
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
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            [top, bottom, left, right],
            dilation,
            groups,
            bias_attr=None if bias else False,
        )


class Hardsigmoid(nn.Layer):
    """``relu6(x + 3) / 6``; ``nn.Hardsigmoid`` multiplies by 0.1666667, which is 2e-7 more than a sixth."""

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return F.relu6(x + 3) / 6


class LayerNorm2D(nn.LayerNorm):
    """``nn.LayerNorm`` over the channels of an NCHW map; the stock layer normalises the last axes."""

    def __init__(self, channels: int, epsilon: float = 1e-5, affine: bool = True) -> None:
        attr = None if affine else False
        super().__init__(channels, epsilon, weight_attr=attr, bias_attr=attr)

    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.LayerNorm
        return super().forward(input.transpose((0, 2, 3, 1))).transpose((0, 3, 1, 2))


class LayerScale(nn.Layer):
    """A trained factor for each channel of an NCHW map, which starts at ``value``."""

    def __init__(self, channels: int, value: float = 1e-6) -> None:
        super().__init__()
        self.weight = self.create_parameter([channels], default_initializer=nn.initializer.Constant(value))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x * self.weight.reshape((-1, 1, 1))


class ExactBatchNorm2D(nn.BatchNorm2D):
    """``nn.BatchNorm2D`` of elementary operations, with ``epsilon`` and ``momentum`` unrounded.

    The stock layer's kernel rounds both to float32. A float64 block is then off by some 1e-12 (outputs) and 1e-8
    (running statistics).
    """

    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.BatchNorm2D
        mean, variance = self._mean, self._variance
        if self.training:
            mean = input.mean((0, 2, 3))
            variance = (input - per_channel(mean)).square().mean((0, 2, 3))
            with paddle.no_grad():
                for running, new in ((self._mean, mean), (self._variance, variance)):
                    running.set_value(self._momentum * running + (1 - self._momentum) * new)
        y = (input - per_channel(mean)) / paddle.sqrt(per_channel(variance) + self._epsilon)
        y = y if self.weight is None else y * per_channel(self.weight)
        return y if self.bias is None else y + per_channel(self.bias)


class ExactGroupNorm(nn.GroupNorm):
    """``nn.GroupNorm`` of elementary operations, with ``epsilon`` unrounded, for the same reason.

    Without a scale the stock layer's gradient of the input is also wrong on a CPU in Paddle 3.3
    (docs/upstream/paddle_group_norm_gradient.py), so `graph` uses this layer for that.
    """

    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.GroupNorm
        n, _, h, w = input.shape
        runs = input.reshape((n, self._num_groups, -1, h, w))
        centred = runs - runs.mean((2, 3, 4), keepdim=True)
        variance = centred.square().mean((2, 3, 4), keepdim=True)
        y = (centred / paddle.sqrt(variance + self._epsilon)).reshape(input.shape)
        y = y if self.weight is None else y * per_channel(self.weight)
        return y if self.bias is None else y + per_channel(self.bias)


class ExactLayerNorm2D(LayerNorm2D):
    """`LayerNorm2D` of elementary operations, with ``epsilon`` unrounded, for the same reason."""

    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.LayerNorm
        centred = input - input.mean(1, keepdim=True)
        y = centred / paddle.sqrt(centred.square().mean(1, keepdim=True) + self._epsilon)
        y = y if self.weight is None else y * per_channel(self.weight)
        return y if self.bias is None else y + per_channel(self.bias)


class ExactAvgPool2D(nn.AvgPool2D):
    """``nn.AvgPool2D`` as a convolution with ones, divided by the number of pixels in each window.

    The stock layer's gradient multiplies by 1 / number rounded to float32, even in float64; its output is exact.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        kernel, stride = pair("ksize", self.ksize), self.ksize if self.stride is None else self.stride
        channels = x.shape[1]
        ones = paddle.ones((channels, 1, *kernel), x.dtype)
        total = F.conv2d(x, ones, stride=stride, padding=self.padding, groups=channels)
        if not self.exclusive:
            return total / (kernel[0] * kernel[1])
        return total / F.conv2d(paddle.ones_like(x), ones, stride=stride, padding=self.padding, groups=channels)


class ExactGlobalAvgPool2D(nn.Layer):
    """``nn.AdaptiveAvgPool2D(1)`` as a mean over the map, for the same reason as `ExactAvgPool2D`."""

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x.mean((2, 3), keepdim=True)


class ExactDropout(nn.Dropout):
    """``nn.Dropout`` as a product with its mask; the stock layer's kernel rounds ``1 / (1 - p)`` to float32."""

    def forward(self, input: paddle.Tensor) -> paddle.Tensor:  # noqa: A002 - the name in nn.Dropout
        if not self.training:
            return input
        return input * (paddle.rand(input.shape, input.dtype) >= self.p).astype(input.dtype) / (1 - self.p)


def per_channel(values: paddle.Tensor) -> paddle.Tensor:
    """One value a channel, as ``[1, c, 1, 1]``."""
    return values.reshape((1, -1, 1, 1))


def exact(layer: nn.Layer) -> nn.Layer:
    """The layer itself, or its replacement that does not round float64 values to float32."""
    if type(layer) is nn.BatchNorm2D:
        attrs = (layer._weight_attr, layer._bias_attr)
        return ExactBatchNorm2D(layer._num_features, layer._momentum, layer._epsilon, *attrs)
    if type(layer) is nn.GroupNorm:
        # This one has a scale: `graph` uses the exact layer for those without.
        return ExactGroupNorm(layer._num_groups, layer._num_channels, layer._epsilon)
    if type(layer) is LayerNorm2D:
        return ExactLayerNorm2D(layer._normalized_shape[0], layer._epsilon, layer.weight is not None)
    if type(layer) is nn.AvgPool2D:
        return ExactAvgPool2D(layer.ksize, layer.stride, layer.padding, exclusive=layer.exclusive)
    if type(layer) is nn.AdaptiveAvgPool2D and layer._output_size == 1:
        return ExactGlobalAvgPool2D()
    if type(layer) is nn.Dropout:
        return ExactDropout(layer.p)
    return layer


def with_exact_layers(layer: nn.Layer) -> nn.Layer:
    """The layer with every norm, average pool and dropout in it replaced by its `exact` form, if it has one."""
    for name, child in list(layer.named_children()):
        setattr(layer, name, exact(with_exact_layers(child)))
    return layer
