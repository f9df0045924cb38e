"""What the tuned convolutions of JAX offer to any function, and to Flax's layers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import frameworks
from common.config import NotAvailable
from common.spec.catalogue import block
from common.spec.params import randomised
from tests.test_tuned_jax import ONE, whole

pytestmark = pytest.mark.needs("jax")


def convolutions(function: Callable[..., Any], *arguments: Any) -> int:
    """How often the compiled program would call XLA's convolution."""
    import jax

    return str(jax.make_jaxpr(function)(*arguments)).count("conv_general_dilated[")


def depthwise(x: Any, kernel: Any, **options: Any) -> Any:
    from jax import lax

    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, ONE, "SAME", dimension_numbers=numbers, feature_group_count=3, **options)


def test_a_convolution_is_replaced_where_it_is_called() -> None:
    import jax
    from jax import lax

    from frameworks.jax.tuned import tuned

    numbers = ("NHWC", "HWIO", "NHWC")

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


@pytest.mark.parametrize(("groups", "size"), [(8, 3), (2, 5), (32, 7)])
def test_gradients_take_at_most_twice_the_memory_of_xla_s(groups: int, size: int) -> None:
    import jax
    import jax.numpy as jnp
    from jax import lax

    from frameworks.jax.tuned import conv_general_dilated

    x, kernel = jnp.ones((2, 24, 24, 32)), jnp.ones((size, size, 32 // groups, 32))
    options = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": groups}

    def temporary(function: Callable[..., Any]) -> int:
        def gradients(x: Any, kernel: Any, dy: Any) -> Any:
            return jax.vjp(lambda x, kernel: function(x, kernel, (1, 1), "SAME", **options), x, kernel)[1](dy)

        analysis: Any = jax.jit(gradients).lower(x, kernel, x).compile().memory_analysis()
        return analysis.temp_size_in_bytes

    assert temporary(conv_general_dilated) <= 2 * temporary(lax.conv_general_dilated)
