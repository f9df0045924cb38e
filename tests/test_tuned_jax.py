"""JAX's tuned convolutions equal XLA's to the last bit, on whole numbers, whose sums are exact."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import frameworks
from common.config import NotAvailable
from common.layers.values import Padding, Pair
from common.spec.catalogue import block
from common.spec.params import randomised

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
    "pointwise": ((2, 5, 4, 3), (1, 1), 4, 1, (ONE, NONE, ONE)),
    "pointwise with a stride": ((2, 5, 4, 3), (1, 1), 4, 1, ((2, 3), NONE, ONE)),
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

    from frameworks.jax.tuned import conv_general_dilated, depthwise_conv, grouped_conv, pointwise_conv
    from frameworks.jax.tuned.shifts import native

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
    right = lambda x, k: native(x, k, *geometry, groups)  # noqa: E731
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


def convolutions(function: Callable[..., Any], *arguments: Any) -> int:
    """How often the compiled program would call XLA's convolution."""
    import jax

    return str(jax.make_jaxpr(function)(*arguments)).count("conv_general_dilated[")


def test_a_convolution_is_replaced_where_it_is_called() -> None:
    import jax
    from jax import lax

    from frameworks.jax.tuned import tuned

    numbers = ("NHWC", "HWIO", "NHWC")

    def depthwise(x: Any, kernel: Any) -> Any:
        return lax.conv_general_dilated(x, kernel, ONE, "SAME", dimension_numbers=numbers, feature_group_count=3)

    @jax.jit
    def net(x: Any, kernels: dict[str, Any], *, scale: float) -> dict[str, Any]:
        y = jax.nn.relu(depthwise(x, kernels["depthwise"]))
        full = lax.conv_general_dilated(y, kernels["full"], ONE, "SAME", dimension_numbers=numbers)
        return {"y": scale * full * full, "x": x}

    kernels = {"depthwise": whole(3, 3, 1, 3), "full": whole(2, 2, 3, 4)}
    x = whole(2, 5, 4, 3)
    fast = tuned(net)
    assert convolutions(lambda *a: net(*a, scale=2.0), x, kernels) == 2
    assert convolutions(lambda *a: fast(*a, scale=2.0), x, kernels) == 1
    results, expected = fast(x, kernels, scale=2.0), net(x, kernels, scale=2.0)
    assert results.keys() == expected.keys()
    assert all(np.array_equal(results[name], expected[name]) for name in expected)

    def loss(function: Any) -> Callable[..., Any]:
        return jax.grad(lambda kernels: function(x, kernels, scale=2.0)["y"].sum())

    gradients, right = loss(fast)(kernels), loss(net)(kernels)
    assert all(np.array_equal(gradients[name], right[name]) for name in right)

    def looped(x: Any, kernel: Any) -> Any:
        return lax.scan(lambda carry, _: (depthwise(carry, kernel), None), x, length=2)[0]

    assert convolutions(tuned(looped), x, kernels["depthwise"]) == 1
    assert np.array_equal(tuned(looped)(x, kernels["depthwise"]), looped(x, kernels["depthwise"]))


@pytest.mark.parametrize(
    "options",
    [
        {"dimension_numbers": ("NCHW", "OIHW", "NCHW"), "feature_group_count": 4, "padding": "SAME"},
        {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "lhs_dilation": (2, 2), "padding": NONE},
        {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "batch_group_count": 2, "padding": "VALID"},
    ],
    ids=["NCHW", "transposed", "grouped batch"],
)
def test_other_convolutions_are_left_to_lax(options: dict[str, Any]) -> None:
    from jax import lax

    from frameworks.jax.tuned import conv_general_dilated

    numbers = lax.conv_dimension_numbers((2, 4, 4, 4), (4, 4, 4, 4), options["dimension_numbers"])
    kernel = whole(4, 1, 3, 3) if "feature_group_count" in options else whole(3, 3, 4, 4)
    x = whole(2, 4, 4, 4)
    assert numbers.lhs_spec
    arguments = {"window_strides": ONE, **options}
    assert np.array_equal(
        conv_general_dilated(x, kernel, **arguments), lax.conv_general_dilated(x, kernel, **arguments)
    )


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


@pytest.mark.needs("flax")
def test_a_depthwise_layer_equals_the_one_of_flax() -> None:
    from flax import nnx

    from frameworks.flax.tuned import DepthwiseConv

    stock = nnx.Conv(3, 6, (3, 3), strides=2, padding="SAME", feature_group_count=3, rngs=nnx.Rngs(0))
    layer = DepthwiseConv(3, (3, 3), strides=2, multiplier=2, rngs=nnx.Rngs(1))
    nnx.update(layer, nnx.state(stock))
    nnx.update(stock, {"kernel": whole(3, 3, 1, 6), "bias": whole(6)})
    nnx.update(layer, {"kernel": whole(3, 3, 1, 6), "bias": whole(6)})
    x = whole(2, 6, 7, 3)
    assert np.array_equal(layer(x), stock(x))
    assert convolutions(lambda x: layer(x), x) == 0
    assert convolutions(lambda x: stock(x), x) == 1


@pytest.mark.needs("flax")
def test_a_network_that_others_wrote_runs_unchanged() -> None:
    """A plain MobileNet in Flax's older API, without a changed line."""
    import jax

    from docs.fast.linen_mobilenet import MobileNet
    from frameworks.jax.tuned import tuned

    with jax.enable_x64(True):
        net = MobileNet(classes=5, alpha=0.25)
        x = jax.random.normal(jax.random.key(0), (2, 32, 32, 3), "float64")
        variables = jax.tree.map(lambda a: a.astype("float64"), net.init(jax.random.key(1), x))
        assert convolutions(net.apply, variables, x) == 27
        assert convolutions(tuned(net.apply), variables, x) == 1  # the stem
        result, expected = (jax.jit(function)(variables, x) for function in (tuned(net.apply), net.apply))
        assert result.dtype == "float64"
        np.testing.assert_allclose(result, expected, rtol=1e-10)


@pytest.mark.parametrize("name", ["jax", pytest.param("flax", marks=pytest.mark.needs("flax"))])
def test_where_the_functions_would_be_xla_s_nothing_is_called_tuned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They choose by the process's default device, so on another one they are the reference."""
    import jax

    spec, build = block("depthwise_conv", channels=3), frameworks.load(name).build
    assert build(spec, randomised(spec), variant="tuned").device == "cpu"
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.raises(NotAvailable, match=f"^`tuned` of {name} on `cpu` needs that for the process's default, not `g"):
        build(spec, randomised(spec), variant="tuned", device="cpu")


def test_a_function_of_the_package_is_there_by_its_path() -> None:
    """As README writes it."""
    frameworks.load("jax")
    assert frameworks.module("jax", "tuned") == frameworks.jax.tuned.__name__  # type: ignore[attr-defined]
    assert callable(frameworks.jax.tuned.tuned)  # type: ignore[attr-defined]
