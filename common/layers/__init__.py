"""The layer vocabulary: what a block may be made of.

Every layer is a frozen dataclass that is validated and made canonical once, at construction, so that whatever
reads it (the reference, the costs, a backend) finds complete tuples and needs no checks of its own. An int is
accepted for a pair, and for a padding an int, a pair, or the name of a rule; the annotations say what is stored.

Conventions: activations are NCHW; kernels are OIHW ``[out, in / groups, height, width]``; linear weights are
``[out, in]``. A padding is ``((top, bottom), (left, right))`` zeros. Names follow PyTorch's.
"""

import math
from dataclasses import dataclass

from common.layers.values import (
    UNIFORM_FAN_IN,
    Init,
    Padding,
    Pair,
    ParamSpec,
    Shape,
    SpecError,
    pair,
    positive,
    resolve_padding,
)


def _window(what: str, size: int, kernel: int, stride: int, pads: Pair, dilation: int) -> int:
    extent = dilation * (kernel - 1) + 1
    if size + sum(pads) < extent:
        raise SpecError(f"`{what}` (={size}) with padding {pads} is smaller than the kernel, which spans {extent}")
    return (size + sum(pads) - extent) // stride + 1


def _four(shape: Shape) -> tuple[int, int, int, int]:
    if len(shape) != 4:
        raise SpecError(f"input shape (={shape}) must be (batch, channels, height, width)")
    return shape  # type: ignore[return-value]


@dataclass(frozen=True)
class Layer:
    """A layer without parameters that keeps its input's shape; the others override what differs."""

    def params(self) -> tuple[ParamSpec, ...]:
        """The layer's arrays, with names local to it."""
        return ()

    def channels(self, *channels: int | None) -> int | None:
        """Output channels from input channels; None where only the whole shape tells (after a flatten)."""
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]


def _expect(name: str, expected: int, given: int | None) -> None:
    if given is not None and given != expected:
        raise SpecError(f"`{name}` (={expected}) does not match the {given} channels of its input")


@dataclass(frozen=True)
class Conv2d(Layer):
    """Two-dimensional cross-correlation: NCHW in, NCHW out. ``groups=in_channels`` is depthwise.

    Raises:
        SpecError: if a size is not positive or ``groups`` does not divide both channel counts.
    """

    in_channels: int
    out_channels: int
    kernel_size: Pair = (3, 3)
    stride: Pair = (1, 1)
    padding: Padding = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1
    bias: bool = True
    init: Init = UNIFORM_FAN_IN

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "groups"):
            positive(name, getattr(self, name))
        for name in ("kernel_size", "stride", "dilation"):
            object.__setattr__(self, name, pair(name, getattr(self, name)))
        padding = resolve_padding(self.padding, self.kernel_size, self.stride, self.dilation)
        object.__setattr__(self, "padding", padding)
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise SpecError(f"`groups` (={self.groups}) must divide `{name}` (={getattr(self, name)})")

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def params(self) -> tuple[ParamSpec, ...]:
        weight = ParamSpec("weight", self.weight_shape, "conv_weight")
        return (weight, ParamSpec("bias", (self.out_channels,), "conv_bias")) if self.bias else (weight,)

    def channels(self, *channels: int | None) -> int:
        _expect("in_channels", self.in_channels, channels[0])
        return self.out_channels

    def output_shape(self, *shapes: Shape) -> Shape:
        n, c, h, w = _four(shapes[0])
        _expect("in_channels", self.in_channels, c)
        windows = zip(
            ("height", "width"), (h, w), self.kernel_size, self.stride, self.padding, self.dilation, strict=True
        )
        return (n, self.out_channels, *(_window(*window) for window in windows))


@dataclass(frozen=True)
class BatchNorm2d(Layer):
    """Batch normalisation over N, H and W (Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167).

    ``momentum`` is the weight of the *new* value in the running statistics, as in torch; Paddle and Flax ask for its
    complement. The running variance averages the *biased* batch variance, or with ``unbiased_running_var`` n / (n - 1)
    times that, as torch does and the paper's inference step says; every block here asks for the biased one.

    Raises:
        SpecError: if ``eps`` is not positive or ``momentum`` is outside [0, 1].
    """

    num_features: int
    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True
    unbiased_running_var: bool = False

    def __post_init__(self) -> None:
        positive("num_features", self.num_features)
        if not self.eps > 0:
            raise SpecError(f"`eps` (={self.eps!r}) must be greater than 0")
        if not 0 <= self.momentum <= 1:
            raise SpecError(f"`momentum` (={self.momentum!r}) must lie in [0, 1]")

    def params(self) -> tuple[ParamSpec, ...]:
        shape = (self.num_features,)
        affine = (ParamSpec("weight", shape, "norm_weight"), ParamSpec("bias", shape, "norm_bias"))
        running = (ParamSpec("running_mean", shape, "running_mean"), ParamSpec("running_var", shape, "running_var"))
        return (*affine, *running) if self.affine else running

    def channels(self, *channels: int | None) -> int:
        _expect("num_features", self.num_features, channels[0])
        return self.num_features

    def output_shape(self, *shapes: Shape) -> Shape:
        _expect("num_features", self.num_features, _four(shapes[0])[1])
        return shapes[0]


@dataclass(frozen=True)
class ReLU(Layer):
    """``max(x, 0)``."""


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """``x`` where positive, ``negative_slope * x`` elsewhere.

    Raises:
        SpecError: if ``negative_slope`` is outside [0, 1).
    """

    negative_slope: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.negative_slope < 1:
            raise SpecError(f"`negative_slope` (={self.negative_slope!r}) must lie in [0, 1)")


@dataclass(frozen=True)
class AvgPool2d(Layer):
    """Mean over windows; ``padding`` is (height, width), the same on both sides.

    ``count_include_pad`` says whether the padding's zeros count in the mean: torch and Flax count them by default,
    Paddle does not (its ``exclusive=True``).

    Raises:
        SpecError: if a size is not positive or the padding exceeds half the window.
    """

    kernel_size: Pair
    stride: Pair = (0, 0)  # (0, 0): the kernel's size
    padding: Pair = (0, 0)
    count_include_pad: bool = True

    def __post_init__(self) -> None:
        kernel = pair("kernel_size", self.kernel_size)
        pads = pair("padding", self.padding, 0)
        if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
            raise SpecError(f"`padding` (={self.padding!r}) must be at most half of `kernel_size` (={kernel})")
        object.__setattr__(self, "kernel_size", kernel)
        object.__setattr__(self, "stride", kernel if self.stride == (0, 0) else pair("stride", self.stride))
        object.__setattr__(self, "padding", pads)

    def output_shape(self, *shapes: Shape) -> Shape:
        n, c, h, w = _four(shapes[0])
        pads = ((p, p) for p in self.padding)
        windows = zip(("height", "width"), (h, w), self.kernel_size, self.stride, pads, (1, 1), strict=True)
        return (n, c, *(_window(*window) for window in windows))


@dataclass(frozen=True)
class GlobalAvgPool2d(Layer):
    """Mean over the whole map, which becomes 1 x 1."""

    def output_shape(self, *shapes: Shape) -> Shape:
        n, c, _, _ = _four(shapes[0])
        return (n, c, 1, 1)


@dataclass(frozen=True)
class Flatten(Layer):
    """``[N, C, H, W] -> [N, C * H * W]``, channels slowest (an NHWC framework must transpose first)."""

    def channels(self, *channels: int | None) -> None:
        return None

    def output_shape(self, *shapes: Shape) -> Shape:
        return (shapes[0][0], math.prod(shapes[0][1:]))


@dataclass(frozen=True)
class Dropout(Layer):
    """The identity in evaluation; in training zeroes a share ``rate`` and scales the rest by ``1 / (1 - rate)``.

    Raises:
        SpecError: if ``rate`` is outside [0, 1).
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise SpecError(f"`rate` (={self.rate!r}) must lie in [0, 1)")


@dataclass(frozen=True)
class Linear(Layer):
    """``x @ weight.T + bias`` on ``[N, in_features]``.

    Raises:
        SpecError: if a size is not positive.
    """

    in_features: int
    out_features: int
    bias: bool = True
    init: Init = UNIFORM_FAN_IN

    def __post_init__(self) -> None:
        positive("in_features", self.in_features)
        positive("out_features", self.out_features)

    def params(self) -> tuple[ParamSpec, ...]:
        weight = ParamSpec("weight", (self.out_features, self.in_features), "linear_weight")
        return (weight, ParamSpec("bias", (self.out_features,), "linear_bias")) if self.bias else (weight,)

    def channels(self, *channels: int | None) -> int:
        _expect("in_features", self.in_features, channels[0])
        return self.out_features

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) != 2 or shapes[0][1] != self.in_features:
            raise SpecError(f"`in_features` (={self.in_features}) does not match its input, of shape {shapes[0]}")
        return (shapes[0][0], self.out_features)


@dataclass(frozen=True)
class Softmax(Layer):
    """Softmax over axis 1 (channels or classes)."""


@dataclass(frozen=True)
class Concat(Layer):
    """Joins its inputs on the channel axis."""

    def channels(self, *channels: int | None) -> int | None:
        return None if None in channels else sum(c for c in channels if c is not None)

    def output_shape(self, *shapes: Shape) -> Shape:
        first = shapes[0]
        if any(s[:1] + s[2:] != first[:1] + first[2:] for s in shapes):
            raise SpecError(f"concat needs maps of one size, not {', '.join(map(str, shapes))}")
        return (first[0], sum(s[1] for s in shapes), *first[2:])


@dataclass(frozen=True)
class ChannelSlice(Layer):
    """Keeps channels ``start`` to ``stop - 1``.

    Raises:
        SpecError: unless ``0 <= start < stop`` (and, in a graph, ``stop`` is at most the channel count).
    """

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise SpecError(f"a channel slice needs 0 <= start < stop, not {self.start}:{self.stop}")

    def channels(self, *channels: int | None) -> int:
        if channels[0] is not None and self.stop > channels[0]:
            raise SpecError(f"`stop` (={self.stop}) exceeds the {channels[0]} channels of its input")
        return self.stop - self.start

    def output_shape(self, *shapes: Shape) -> Shape:
        self.channels(shapes[0][1])
        return (shapes[0][0], self.stop - self.start, *shapes[0][2:])


@dataclass(frozen=True)
class Add(Layer):
    """Elementwise sum of its inputs."""

    def channels(self, *channels: int | None) -> int | None:
        if len({c for c in channels if c is not None}) > 1:
            raise SpecError(f"add needs equal channels, not {', '.join(map(str, channels))}")
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(set(shapes)) > 1:
            raise SpecError(f"add needs equal shapes, not {', '.join(map(str, shapes))}")
        return shapes[0]
