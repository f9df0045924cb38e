"""JAX's tuned convolutions equal XLA's to the last bit, on whole numbers, whose sums are exact."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from common.layers.values import Padding, Pair

pytestmark = pytest.mark.needs("jax")

ONE, NONE, STILL = (1, 1), ((0, 0), (0, 0)), ((1, 1), (1, 1))
Geometry = tuple[Pair, Padding, Pair]  # stride, padding, dilation

# Name: map (n, h, w, c_in), kernel (kh, kw), output channels, groups, geometry.
CASES: dict[str, tuple[tuple[int, ...], Pair, int, int, Geometry]] = {
    "depthwise": ((2, 5, 6, 3), (3, 3), 3, 3, (ONE, STILL, ONE)),
    "stride and multiplier": ((1, 6, 7, 2), (3, 3), 4, 2, ((2, 2), STILL, ONE)),
    "even kernel, unequal sides": ((2, 6, 5, 2), (2, 4), 2, 2, ((1, 2), ((0, 1), (2, 0)), (2, 1))),
    "1xN": ((1, 5, 6, 2), (1, 5), 6, 2, ((3, 1), ((0, 0), (4, 0)), ONE)),
    "Nx1": ((1, 3, 4, 2), (5, 1), 2, 2, (ONE, ((2, 2), (0, 0)), ONE)),
    "dilation": ((1, 8, 7, 2), (3, 2), 2, 2, (ONE, ((2, 2), (1, 0)), (2, 3))),
    "pixels taken off": ((1, 8, 8, 2), (3, 3), 2, 2, ((2, 3), ((-1, 1), (0, -1)), ONE)),
    "stride beyond the kernel": ((1, 6, 7, 2), (2, 2), 2, 2, ((3, 3), NONE, ONE)),
    "kernel larger than the map": ((2, 4, 4, 3), (9, 9), 3, 3, (ONE, STILL, ONE)),
    "wide": ((2, 3, 19, 2), (3, 3), 2, 2, (ONE, STILL, ONE)),
    "wide, with everything else": ((1, 8, 45, 2), (5, 3), 4, 2, ((2, 2), ((1, 2), (-1, 0)), (1, 2))),
    "batch of nothing": ((0, 5, 6, 3), (3, 3), 3, 3, (ONE, STILL, ONE)),
    "one channel": ((2, 5, 4, 1), (3, 3), 2, 1, (ONE, STILL, ONE)),
    "few groups": ((1, 5, 4, 18), (3, 3), 4, 2, ((2, 1), STILL, ONE)),
    "few channels a group": ((2, 5, 4, 6), (3, 2), 6, 3, (ONE, ((0, 1), (1, 1)), (1, 2))),
    "many groups": ((1, 4, 4, 54), (2, 2), 12, 6, ((1, 2), STILL, ONE)),
    "many channels a group": ((1, 4, 5, 64), (2, 2), 4, 2, ((1, 2), STILL, ONE)),
    "groups of a batch of nothing": ((0, 5, 4, 6), (3, 2), 6, 3, (ONE, STILL, ONE)),
    "pointwise": ((2, 5, 4, 8), (1, 1), 9, 1, (ONE, NONE, ONE)),
    "pointwise with a stride": ((2, 5, 4, 8), (1, 1), 9, 1, ((2, 3), NONE, ONE)),
}


def whole(*shape: int) -> Any:  # JAX takes NumPy's arrays, but its annotations do not say so
    """Draws from -1, 0 and 1, the same ones whenever the shape is the same."""
    return np.random.default_rng(sum(shape)).integers(-1, 2, shape).astype(np.float32)


def everything(convolve: Callable[..., Any], batched: bool) -> Callable[..., Any]:
    """The output, its gradients, and the gradients' gradients; ``batched`` maps over a batch of kernels."""
    import jax

    def first(x: Any, kernel: Any, dy: Any) -> Any:
        y, pull = jax.vjp(convolve, x, kernel)
        return y, pull(dy)

    def both(x: Any, kernel: Any, dy: Any, tangents: Any) -> Any:
        results, pull = jax.vjp(first, x, kernel, dy)
        return results, pull((results[0], tangents))

    return jax.jit(jax.vmap(both, in_axes=(None, 0, None, None)) if batched else both)


@pytest.mark.parametrize(
    ("name", "batched"),
    [*((name, False) for name in CASES), ("depthwise", True), ("few groups", True), ("many groups", True)],
)
def test_output_gradients_and_their_gradients_equal_those_of_xla(name: str, batched: bool) -> None:
    import jax
    from jax import lax

    from frameworks.jax.tuned import conv_general_dilated, depthwise_conv, grouped_conv, pointwise_conv

    shape, size, outputs, groups, geometry = CASES[name]
    stride, padding, dilation = geometry
    x, kernel = whole(*shape), whole(*size, shape[3] // groups, outputs)
    numbers = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": groups}
    forms: list[Callable[..., Any]] = [
        lambda x, k: grouped_conv(x, k, groups, *geometry),
        lambda x, k: conv_general_dilated(x, k, stride, padding, None, dilation, **numbers),
    ]
    if groups == shape[3]:
        forms = [lambda x, k: depthwise_conv(x, k, *geometry)]
    if size == ONE:
        forms = [lambda x, k: pointwise_conv(x, k, stride)]
    right = lambda x, k: lax.conv_general_dilated(x, k, stride, padding, None, dilation, **numbers)  # noqa: E731
    dy = whole(*jax.eval_shape(right, x, kernel).shape)
    tangents = (whole(*shape), whole(*kernel.shape))
    kernels = np.stack([kernel, -2 * kernel]) if batched else kernel
    expected = jax.tree.leaves(everything(right, batched)(x, kernels, dy, tangents))
    for form in forms:
        results = jax.tree.leaves(everything(form, batched)(x, kernels, dy, tangents))
        assert [a.shape for a in results] == [a.shape for a in expected]
        assert all(np.array_equal(a, b) for a, b in zip(results, expected, strict=True))
    if name not in ("kernel larger than the map", "batch of nothing", "groups of a batch of nothing"):
        assert all(np.any(np.asarray(array)) for array in expected), "zeros would pass"


# Name: the shapes of map and kernel, and what `lax.conv_general_dilated` is asked for; groups of 4, 2 or 1 channels.
OTHERS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "NCHW": ((2, 4, 5, 6), (4, 1, 3, 3), {"feature_group_count": 4, "padding": "SAME"}),
    "CHWN and an output of its own": (
        (4, 5, 6, 2),
        (3, 3, 1, 8),
        {"dimension_numbers": ("CHWN", "HWIO", "NWCH"), "feature_group_count": 4, "padding": ((1, 1), (0, 2))},
    ),
    "1-D": ((2, 9, 4), (3, 1, 4), {"dimension_numbers": ("NWC", "WIO", "NWC"), "feature_group_count": 4}),
    "1-D groups, NCW": ((2, 4, 9), (6, 2, 3), {"feature_group_count": 2, "rhs_dilation": (2,)}),
    "3-D": (
        (1, 4, 5, 3, 4),
        (2, 3, 2, 1, 4),
        {"dimension_numbers": ("NDHWC", "DHWIO", "NDHWC"), "feature_group_count": 4, "window_strides": (2, 1, 1)},
    ),
    "transposed": (
        (2, 4, 5, 4),
        (3, 2, 2, 6),
        {
            "dimension_numbers": ("NHWC", "HWIO", "NHWC"),
            "lhs_dilation": (2, 3),
            "feature_group_count": 2,
            "padding": STILL,
        },
    ),
    "pointwise, with zeros around and between": (
        (2, 8, 4, 5),
        (9, 8, 1, 1),
        {"padding": STILL, "lhs_dilation": (1, 2)},
    ),
    "a kernel as large as the map": ((8, 8, 4, 5), (9, 8, 4, 5), {}),
    "groups of a batch": ((4, 3, 5, 5), (6, 3, 3, 3), {"batch_group_count": 2}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_layout_has_a_form_that_equals_xla_s(name: str) -> None:
    import jax
    from jax import lax

    from frameworks.jax.tuned import conv_general_dilated

    shape, size, options = OTHERS[name]
    axes = len(shape) - 2
    arguments = {"window_strides": (1,) * axes, "padding": "VALID", **options}
    x, kernel = whole(*shape), whole(*size)
    right = functools.partial(lax.conv_general_dilated, **arguments)
    form = functools.partial(conv_general_dilated, **arguments)
    dy = whole(*jax.eval_shape(right, x, kernel).shape)
    results, expected = (jax.jit(lambda x, k, dy, f=f: jax.vjp(f, x, k)[1](dy))(x, kernel, dy) for f in (form, right))
    assert all(np.array_equal(a, b) for a, b in zip(results, expected, strict=True))
    assert np.any(np.asarray(expected[0]))
    assert np.array_equal(form(x, kernel), right(x, kernel))
    assert "tuned_conv[" in str(jax.make_jaxpr(form)(x, kernel))


@pytest.mark.parametrize("padding", ["SAME", "VALID", "SAME_LOWER"])
def test_padding_by_name_is_that_of_lax(padding: str) -> None:
    from jax import lax

    from frameworks.jax.tuned import conv_general_dilated

    numbers = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": 3, "rhs_dilation": (1, 2)}
    arguments = whole(1, 8, 9, 3), whole(3, 2, 1, 3), (2, 2), padding
    result, expected = (f(*arguments, **numbers) for f in (conv_general_dilated, lax.conv_general_dilated))
    assert np.array_equal(result, expected)


def test_bad_arrays_are_refused_as_lax_refuses_them() -> None:
    from frameworks.jax.tuned import depthwise_conv, grouped_conv

    for call in (
        lambda: depthwise_conv(whole(1, 5, 5, 3), whole(3, 3, 1, 4)),
        lambda: depthwise_conv(whole(1, 5, 5, 3), whole(3, 3, 2, 3)),
        lambda: grouped_conv(whole(1, 5, 5, 4), whole(3, 3, 2, 3), 2),
        lambda: depthwise_conv(whole(1, 5, 5, 3), whole(3, 3, 1, 3).astype(np.int32)),
    ):
        with pytest.raises((TypeError, ValueError), match=r"conv_general_dilated|lax\.conv"):
            call()


def test_half_precision_is_added_up_in_single() -> None:
    import jax.numpy as jnp

    from frameworks.jax.tuned import depthwise_conv

    x = jnp.full((1, 1, 300, 1), 1, jnp.bfloat16)
    y = depthwise_conv(x, jnp.ones((1, 300, 1, 1), jnp.bfloat16))
    assert y.dtype == jnp.bfloat16
    assert float(y[0, 0, 0, 0]) == 300  # in bfloat16, 256 + 1 is 256
