"""Windows over maps: the values that convolutions and pools read, and the way back of gradients."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from common.layers.values import Padding, Pair, Shape, SpecError


def window_count(name: str, size: int, kernel: int, stride: int, pads: Pair, dilation: int) -> int:
    """How many windows fit along one axis.

    Raises:
        SpecError: if none fits.
    """
    extent = dilation * (kernel - 1) + 1
    if size + sum(pads) < extent:
        raise SpecError(f"`{name}` (={size}) with padding {pads} is smaller than the kernel, which spans {extent}")
    return (size + sum(pads) - extent) // stride + 1


def window_counts(
    size: Sequence[int], kernel: Pair, stride: Pair, padding: Iterable[Pair], dilation: Pair = (1, 1)
) -> tuple[int, ...]:
    """`window_count` of height and width."""
    axes = zip(("height", "width"), size, kernel, stride, padding, dilation, strict=True)
    return tuple(window_count(*axis) for axis in axes)


def taps(
    x: np.ndarray, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair = (1, 1), fill: float = 0.0
) -> np.ndarray:
    """A view ``[n, c, h_out, w_out, kh, kw]`` of the values that each output pixel reads, ``fill`` in the padding."""
    (dh, dw), (sh, sw) = dilation, stride
    padded = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill)
    extent = (dh * (kernel[0] - 1) + 1, dw * (kernel[1] - 1) + 1)
    return sliding_window_view(padded, extent, axis=(2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]  # type: ignore[call-overload]


def untaps(values: np.ndarray, shape: Shape, stride: Pair, padding: Padding, dilation: Pair = (1, 1)) -> np.ndarray:
    """The adjoint of `taps`: adds each ``[n, c, h_out, w_out, kh, kw]`` value to where it was read."""
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
