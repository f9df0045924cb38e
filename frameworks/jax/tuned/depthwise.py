"""Depthwise convolution by shifting, multiplying and adding; NHWC.

XLA runs a depthwise convolution on one thread of a CPU, an output at a time (jax#23713). The same sum, written as the
map shifted by each tap and multiplied by that tap's weights, is elementwise work, which XLA fuses, vectorises over
the channels and shares among the threads. Both gradients are sums over shifted maps too; each of the three functions
has the other two for its own derivatives, so that gradients of any order are as fast. JAX takes no forward-mode
derivatives (`jax.jvp`, `jax.jacfwd`, `jax.linearize`) of functions with a `jax.custom_vjp`.
"""

from functools import partial, reduce
from itertools import chain

import jax
import jax.numpy as jnp
from jax import lax

from frameworks.jax.tuned.shifts import Padding, Pair, better, native, padded, positions, rows

Arrays = tuple[jax.Array, jax.Array]

# A sum of few products, which XLA seems to unroll and so to vectorise over the channels, is two to three times as fast
# as one over a whole row of a wide map. A row of up to SHORT pixels is summed at once, a longer one in pieces of PIECE
# or fewer; for all taps of a kernel together up to UNROLLED products, else for those of each of its rows.
SHORT, PIECE, UNROLLED = 16, 8, 72


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    stride: Pair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
) -> jax.Array:
    """``[n, h, w, c] -> [n, h', w', c * multiplier]`` with a kernel ``[kh, kw, 1, c * multiplier]``, for CPUs.

    Equal to ``lax.conv_general_dilated(..., feature_group_count=c)`` but for rounding, for inference and training, and
    replaced by it on any other device. Half precision is added up in float32. ``padding`` is ``((top, bottom), (left,
    right))``; all three must be static under `jax.jit`.
    """
    if not better(x, kernel, stride, padding, dilation, groups=x.shape[-1]):
        return native(x, kernel, stride, padding, dilation, groups=x.shape[-1])
    wide = jnp.promote_types(x.dtype, jnp.float32)
    # Output channel m reads input channel m // multiplier; the gradient of `repeat` adds up what they share.
    repeated = jnp.repeat(x, kernel.shape[3] // x.shape[3], axis=3)
    y = _convolve(repeated.astype(wide), kernel[:, :, 0].astype(wide), stride, padding, dilation)
    return jnp.asarray(y, x.dtype)


def _correlate(x: jax.Array, w: jax.Array, size: Pair, stride: Pair, dilation: Pair) -> jax.Array:
    """The sum over a row of the kernel ``[kh, kw, c]`` first, then over the rows: the fastest order for large ones."""
    views = rows(x, (w.shape[0], w.shape[1]), size, stride, dilation)
    return reduce(jnp.add, (reduce(jnp.add, map(jnp.multiply, row, taps)) for row, taps in zip(views, w, strict=True)))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolve(x: jax.Array, w: jax.Array, stride: Pair, padding: Padding, dilation: Pair) -> jax.Array:
    """``[n, h, w, c]`` with ``[kh, kw, c]``."""
    x = padded(x, padding)
    h, w_ = (positions(x.shape[i + 1], w.shape[i], stride[i], dilation[i]) for i in (0, 1))
    return _correlate(x, w, (h, w_), stride, dilation)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def _transposed(dy: jax.Array, w: jax.Array, size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> jax.Array:
    """The gradient by the input, ``[n, *size, c]``: ``dy`` with zeros between, correlated with the turned kernel."""
    reach = [(w.shape[i] - 1) * dilation[i] for i in (0, 1)]
    before = [reach[i] - padding[i][0] for i in (0, 1)]
    spread = [(dy.shape[i + 1] - 1) * stride[i] + 1 for i in (0, 1)]
    (top, left), (bottom, right) = before, [size[i] + reach[i] - before[i] - spread[i] for i in (0, 1)]
    between = (stride[0] - 1, stride[1] - 1)
    return _correlate(padded(dy, ((top, bottom), (left, right)), between), w[::-1, ::-1], size, (1, 1), dilation)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def _by_kernel(x: jax.Array, dy: jax.Array, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair) -> jax.Array:
    """The gradient by the kernel, ``[kh, kw, c]``."""
    zero, (n, height, width, c), (top, (left, right)) = jnp.zeros((), x.dtype), dy.shape, padding
    pieces = 1 if width <= SHORT else -(-width // PIECE)
    length = -(-width // pieces)
    more = pieces * length - width
    dy = jnp.pad(dy, ((0, 0), (0, 0), (0, more), (0, 0)))
    x = padded(x, (top, (left, right + more * stride[1])))

    def piecewise(view: jax.Array) -> jax.Array:
        return view.reshape(n, height, pieces, length, c)

    def sums(views: list[jax.Array]) -> list[jax.Array]:
        """One reduction over the pieces for several taps, so that ``dy`` is read once; then over all that is left."""
        products = tuple(piecewise(view) * piecewise(dy) for view in views)
        found = lax.reduce(products, (zero,) * len(views), lambda a, b: tuple(map(lax.add, a, b)), (3,))
        return [taps.sum((0, 1, 2)) for taps in found]

    views = list(rows(x, kernel, (height, pieces * length), stride, dilation))
    parts = [[*chain(*views)]] if kernel[0] * kernel[1] * length <= UNROLLED else views
    return jnp.stack([taps for part in parts for taps in sums(part)]).reshape(*kernel, c)


def _convolve_forward(x: jax.Array, w: jax.Array, *static: Pair | Padding) -> tuple[jax.Array, Arrays]:
    return _convolve(x, w, *static), (x, w)


def _convolve_backward(stride: Pair, padding: Padding, dilation: Pair, held: Arrays, dy: jax.Array) -> Arrays:
    (x, w), geometry = held, (stride, padding, dilation)
    return _transposed(dy, w, x.shape[1:3], *geometry), _by_kernel(x, dy, w.shape[:2], *geometry)


def _transposed_forward(dy: jax.Array, w: jax.Array, *static: Pair | Padding) -> tuple[jax.Array, Arrays]:
    return _transposed(dy, w, *static), (dy, w)


def _transposed_backward(
    size: Pair, stride: Pair, padding: Padding, dilation: Pair, held: Arrays, g: jax.Array
) -> Arrays:
    (dy, w), geometry = held, (stride, padding, dilation)
    return _convolve(g, w, *geometry), _by_kernel(g, dy, w.shape[:2], *geometry)


def _by_kernel_forward(x: jax.Array, dy: jax.Array, *static: Pair | Padding) -> tuple[jax.Array, Arrays]:
    return _by_kernel(x, dy, *static), (x, dy)


def _by_kernel_backward(
    kernel: Pair, stride: Pair, padding: Padding, dilation: Pair, held: Arrays, g: jax.Array
) -> Arrays:
    (x, dy), geometry = held, (stride, padding, dilation)
    return _transposed(dy, g, x.shape[1:3], *geometry), _convolve(x, g, *geometry)


_convolve.defvjp(_convolve_forward, _convolve_backward)
_transposed.defvjp(_transposed_forward, _transposed_backward)
_by_kernel.defvjp(_by_kernel_forward, _by_kernel_backward)
