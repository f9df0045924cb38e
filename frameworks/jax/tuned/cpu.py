"""Which form a convolution takes on a CPU, and why; and that form of it.

The limits were chosen by measurements on CPUs with AVX-512, jax 0.10.2.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from . import depthwise, grouped, pointwise
from .shifts import Geometry

# By processor time: up to TERMS products for an output (taps times input channels a group), shifted maps were 2 to 7
# times as fast as XLA's grouped convolution, at 196 slower; above, separate convolutions were as fast as it or faster.
# Their gradients by the kernel beat products of patches from ENOUGH input channels a group on. Depthwise kernels of up
# to TAPS were 2 to 17 times as fast; at 961 they are slower, and take seconds to compile. A product of matrices of
# fewer than CHANNELS input channels, or fewer than their square of weights, was slower than XLA's convolution.
TERMS, ENOUGH, TAPS, CHANNELS = 100, 16, 441, 8


class Choice(NamedTuple):
    """The form of a convolution, or none, for the reason ``why``."""

    form: str | None
    why: str


class Canonical(NamedTuple):
    """A convolution of maps ``[n, *spatial, c]`` and kernels ``[*spatial, c_in / groups, c_out]``, in shapes.

    If ``backward`` it is the gradient by the kernel, as differentiation writes it: a convolution of the transposed map
    with the output's gradient for a kernel. ``dy`` is the shape of that gradient, and ``geometry`` the forward one's.
    """

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    dy: tuple[int, ...]
    geometry: Geometry
    groups: int
    backward: bool


def canonical(lhs: Any, rhs: Any, params: dict[str, Any]) -> Canonical:
    """Of arrays or their types, and of the parameters of ``lax.conv_general_dilated_p``."""
    l_spec, r_spec, _ = params["dimension_numbers"]
    stride, dilation = params["window_strides"], params["rhs_dilation"]
    between = tuple(d - 1 for d in params["lhs_dilation"])
    window = tuple(rhs.shape[i] for i in r_spec[2:])
    geometry = Geometry(stride, params["padding"], between, dilation)
    size = tuple(lhs.shape[i] for i in l_spec[2:])
    output, outputs = geometry.output(size, window), rhs.shape[r_spec[0]]
    # A kernel that covers the map is the gradient of a pointwise convolution; so is a whole one, of one pixel.
    covers = all(n == 1 for n in output) and math.prod(window) > 1 and not any(map(any, geometry.padding))
    backward = params["batch_group_count"] > 1 or (params["feature_group_count"] == 1 and covers and not any(between))
    if backward:
        x = (lhs.shape[l_spec[1]], *size, lhs.shape[l_spec[0]])
        groups = params["batch_group_count"]
        kernel = (*output, x[-1] // groups, outputs)
        forward = geometry._replace(stride=dilation, dilation=stride)
        return Canonical(x, kernel, (x[0], *window, outputs), forward, groups, backward=True)
    x = (lhs.shape[l_spec[0]], *size, lhs.shape[l_spec[1]])
    kernel = (*window, rhs.shape[r_spec[1]], outputs)
    return Canonical(x, kernel, (x[0], *output, outputs), geometry, params["feature_group_count"], backward=False)


def chosen(lhs: Any, rhs: Any, params: dict[str, Any]) -> Choice:
    """For the types of its arrays, and the parameters of ``lax.conv_general_dilated_p``."""
    dimensions = (*lhs.shape, *rhs.shape)
    if not all(jnp.issubdtype(a.dtype, jnp.floating) for a in (lhs, rhs)):
        return Choice(None, f"{lhs.dtype} with {rhs.dtype}: the forms are of floating-point numbers")
    batch = params["dimension_numbers"].lhs_spec[0]
    if not all(isinstance(n, int) for axis, n in enumerate(dimensions) if axis != batch):
        return Choice(None, "only the batch may be symbolic")
    if lhs.sharding.mesh.explicit_axes or rhs.sharding.mesh.explicit_axes:
        return Choice(None, "sharded by explicit axes, whose rules are XLA's")
    conv = canonical(lhs, rhs, params)
    if any(isinstance(n, int) and n < 1 for n in (*conv.x, *conv.kernel, *conv.dy)):
        return Choice(None, "a map without pixels")
    if len(conv.x) == 2:
        return Choice(None, "no spatial axes")
    return _rule(conv)


def _rule(conv: Canonical) -> Choice:
    (*window, inputs, outputs), groups = conv.kernel, conv.groups
    taps = math.prod(window)
    if groups == 1 and taps > 1:
        return Choice(None, "a standard convolution, which XLA runs fast")
    if groups == 1:
        few = inputs < CHANNELS or inputs * outputs < CHANNELS**2
        return (
            Choice(None, "pointwise, of few channels") if few else Choice("product", "pointwise: a product of matrices")
        )
    if conv.backward:
        if inputs == 1 and outputs == groups:
            return Choice("depthwise", "sums over shifted maps")
        if inputs >= ENOUGH:
            return Choice("separate", "a convolution for each group")
        return Choice("patches", "a product of patches for each group")
    if inputs == 1:
        fits = taps <= TAPS
        return (
            Choice("depthwise", "shifted maps") if fits else Choice(None, f"a kernel of {taps} taps, more than {TAPS}")
        )
    if taps * inputs <= TERMS:
        return Choice("shifted", "shifted maps of the channels of each group")
    return Choice("separate", "a convolution for each group")


def computed(lhs: jax.Array, rhs: jax.Array, **params: Any) -> jax.Array:
    """``lax.conv_general_dilated_p`` in its chosen form."""
    conv, form = canonical(lhs, rhs, params), chosen(jax.typeof(lhs), jax.typeof(rhs), params).form
    l_spec, r_spec, o_spec = params["dimension_numbers"]
    options = {name: params[name] for name in ("precision", "preferred_element_type")}
    dtype = jnp.dtype(params["preferred_element_type"] or lhs.dtype)
    if form in ("depthwise", "shifted"):  # half precision is added up in float32
        lhs, rhs = (a.astype(jnp.promote_types(dtype, jnp.promote_types(a.dtype, jnp.float32))) for a in (lhs, rhs))
    kernel, geometry, groups = conv.kernel[:-2], conv.geometry, conv.groups
    if conv.backward:
        x = lax.transpose(lhs, (l_spec[1], *l_spec[2:], l_spec[0]))
        dy = lax.transpose(rhs, (r_spec[1], *r_spec[2:], r_spec[0]))
        match form:
            case "product":
                y = pointwise.kernel_gradient(x, dy, geometry, **options)
            case "depthwise":
                y = depthwise.kernel_gradient(x, dy, kernel, geometry)
            case "separate":
                y = grouped.separate_gradient(x, dy, kernel, geometry, groups, **options)
            case _:
                y = grouped.kernel_gradient(x, dy, kernel, geometry, groups, **options)
        axes = (y.ndim - 2, y.ndim - 1, *range(y.ndim - 2))  # of the batch, the channels, the pixels
    else:
        x = lax.transpose(lhs, (l_spec[0], *l_spec[2:], l_spec[1]))
        w = lax.transpose(rhs, (*r_spec[2:], r_spec[1], r_spec[0]))
        match form:
            case "product":
                y = pointwise.product(x, w, geometry, **options)
            case "depthwise":
                y = depthwise.shifted(x, w, geometry)
            case "shifted":
                y = grouped.shifted(x, w, geometry, groups)
            case _:
                y = grouped.separate(x, w, geometry, groups, **options)
        axes = (0, y.ndim - 1, *range(1, y.ndim - 1))
    return lax.transpose(y.astype(dtype), [axes[o_spec.index(axis)] for axis in range(y.ndim)])
