"""JAX's tuned convolutions inside whatever a program is made of: found, and the program otherwise as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.test_tuned_jax import whole
from tests.test_tuned_jax_functions import convolutions, depthwise

pytestmark = pytest.mark.needs("jax")


def own_gradient(x: Any, kernel: Any) -> Any:
    import jax

    function = jax.custom_vjp(depthwise)
    function.defvjp(lambda *a: (depthwise(*a), a), lambda a, dy: jax.vjp(depthwise, *a)[1](2 * dy))
    return function(x, kernel)


def own_tangent(x: Any, kernel: Any) -> Any:
    import jax

    function = jax.custom_jvp(depthwise)
    function.defjvp(lambda a, t: (depthwise(*a), depthwise(t[0], 2 * a[1]) + depthwise(a[0], t[1])))
    return function(x, kernel)


def sharded(x: Any, kernel: Any) -> Any:
    import jax
    from jax.sharding import Mesh
    from jax.sharding import PartitionSpec as P

    mesh = Mesh(np.array(jax.devices()[:1]), ("b",))
    return jax.shard_map(depthwise, mesh=mesh, in_specs=(P("b"), P()), out_specs=P("b"))(x, kernel)


def applied(function: Callable[..., Any], x: Any) -> Any:
    return function(x)


def places() -> dict[str, Callable[..., Any]]:
    import jax
    from jax import lax

    return {
        "scan": lambda x, k: lax.scan(lambda y, _: (depthwise(y, k), None), x, length=2)[0],
        "fori_loop": lambda x, k: lax.fori_loop(0, 2, lambda _, y: depthwise(y, k), x),
        "while_loop": lambda x, k: lax.while_loop(lambda y: abs(y).sum() < 200, lambda y: 2 * depthwise(y, k), x),
        "cond": lambda x, k: lax.cond(x.sum() > 99, lambda: x, lambda: depthwise(x, k)),
        "map": lambda x, k: lax.map(lambda y: depthwise(y[None], k)[0], x),
        "vmap": lambda x, k: jax.vmap(lambda y: depthwise(y[None], k)[0])(x),
        "jit": jax.jit(depthwise),
        "checkpoint": jax.checkpoint(depthwise),
        "a solver": lambda x, k: lax.custom_linear_solve(lambda y: depthwise(y, k), x, applied, applied),
        "custom_vjp": own_gradient,
        "custom_jvp": own_tangent,
        "shard_map": sharded,
    }


@pytest.mark.parametrize("place", ["scan", "fori_loop", "while_loop", "cond", "map", "vmap", "jit", "checkpoint"])
def test_a_convolution_is_found_in(place: str) -> None:
    check(place)


@pytest.mark.parametrize("place", ["a solver", "custom_vjp", "custom_jvp", "shard_map"])
def test_a_convolution_is_found_in_what_has_functions_of_its_own(place: str) -> None:
    check(place)


def check(place: str) -> None:
    """As it is and in a compiled function, forward and backward, differentiated before it is tuned or after."""
    import jax

    from frameworks.jax.tuned import tuned

    function, x, kernel = places()[place], whole(2, 5, 4, 3), whole(3, 3, 1, 3)
    right = np.asarray(function(x, kernel))
    assert np.array_equal(tuned(function)(x, kernel), right)
    assert np.any(right)
    for form in (tuned(function), tuned(jax.jit(function))):
        assert convolutions(form, x, kernel) == 0 < convolutions(function, x, kernel)
    if place == "while_loop":
        return

    def gradients(function: Callable[..., Any]) -> Callable[..., Any]:
        return jax.grad(lambda x, kernel: (function(x, kernel) ** 2).sum(), (0, 1))

    expected = gradients(function)(x, kernel)
    for form in (tuned(gradients(function)), gradients(tuned(function))):
        assert convolutions(form, x, kernel) == 0
        assert all(np.array_equal(a, b) for a, b in zip(form(x, kernel), expected, strict=True))


def test_a_function_that_was_compiled_before_is_tuned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """And stays XLA's own outside."""
    import jax

    from frameworks.jax.tuned import cpu, tuned

    chosen, seen = cpu.chosen, []
    monkeypatch.setattr(cpu, "chosen", lambda *a: seen.append(a) or chosen(*a))
    compiled, x, kernel = jax.jit(lambda *a: depthwise(*a)), whole(2, 5, 4, 3), whole(3, 3, 1, 3)
    for _ in range(2):
        assert np.array_equal(compiled(x, kernel), tuned(compiled)(x, kernel))
        assert seen, "it came from the cache of what was compiled outside"
    assert convolutions(compiled, x, kernel) == 1 == convolutions(tuned(compiled), x, kernel) + 1


@pytest.mark.needs("flax")
def test_what_a_module_keeps_is_kept() -> None:
    """Running statistics move, and each call draws its own dropout mask, called as it is or compiled."""
    from flax import nnx

    from frameworks.jax.tuned import tuned

    class Net(nnx.Module):
        def __init__(self) -> None:
            rngs = nnx.Rngs(0)
            self.conv = nnx.Conv(3, 3, (3, 3), feature_group_count=3, rngs=rngs)
            self.norm, self.dropout = nnx.BatchNorm(3, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            return self.dropout(self.norm(self.conv(x)))

    x = whole(2, 5, 4, 3)
    for compiled in (nnx.jit, lambda function: function):
        outputs = {}
        for name, form in (("plain", lambda function: function), ("tuned", tuned)):
            net = Net()
            step = compiled(form(lambda net, x: net(x)))
            outputs[name] = [step(net, x), step(net, x), net.norm.mean[...]]
        for result, expected in zip(outputs["tuned"], outputs["plain"], strict=True):
            np.testing.assert_allclose(result, expected, atol=1e-5)
        first, second, _ = outputs["tuned"]
        assert not np.array_equal(first != 0, second != 0)


def test_derivatives_forward_are_xla_s() -> None:
    import jax

    from frameworks.jax.tuned import tuned

    x, kernel = whole(1, 3, 2, 3), whole(3, 3, 1, 3)
    right = [jax.jvp(depthwise, (x, kernel), (x, kernel))[1], jax.linearize(depthwise, x, kernel)[1](x, kernel)]
    form = tuned(depthwise)
    results = [jax.jvp(form, (x, kernel), (x, kernel))[1], jax.linearize(form, x, kernel)[1](x, kernel)]
    assert all(np.array_equal(a, b) for a, b in zip(results, right, strict=True))
    loss = lambda f: jax.hessian(lambda x: (f(x, kernel) ** 3).sum())  # noqa: E731
    np.testing.assert_array_equal(loss(form)(x), loss(depthwise)(x))


def test_what_is_exported_is_for_its_platform_and_any_batch() -> None:
    import jax
    from jax import export

    from frameworks.jax.tuned import tuned

    x = jax.ShapeDtypeStruct(export.symbolic_shape("b,5,4,3"), "float32")
    kernel = whole(3, 3, 1, 3)
    programs = {
        platform: export.export(jax.jit(tuned(depthwise)), platforms=[platform])(x, kernel)
        for platform in ("cpu", "cuda")
    }
    found = {platform: "stablehlo.convolution" in program.mlir_module() for platform, program in programs.items()}
    assert found == {"cpu": False, "cuda": True}
    assert np.array_equal(programs["cpu"].call(whole(2, 5, 4, 3), kernel), depthwise(whole(2, 5, 4, 3), kernel))


def test_equal_convolutions_share_a_function_and_keep_their_names() -> None:
    import jax

    from frameworks.jax.tuned import tuned

    def net(x: Any, kernel: Any) -> Any:
        for name in ("first", "second"):
            with jax.named_scope(name):
                x = depthwise(x, kernel)
        return x

    program = jax.jit(tuned(net)).lower(whole(1, 7, 4, 3), whole(3, 3, 1, 3))
    text = program.as_text()
    assert (text.count("call @tuned_conv"), text.count("func.func private @tuned_conv")) == (2, 1)
    compiled = str(program.compile().as_text())
    assert all(f"jit(net)/{name}/jit(tuned_conv)/mul" in compiled for name in ("first", "second"))


def test_an_inner_compiled_function_keeps_its_options() -> None:
    import jax
    from jax.sharding import SingleDeviceSharding

    from frameworks.jax.tuned import tuned

    place = SingleDeviceSharding(jax.devices()[0])
    inner = jax.jit(depthwise, out_shardings=place, donate_argnums=0)
    (equation,) = jax.make_jaxpr(tuned(inner))(whole(2, 5, 4, 3), whole(3, 3, 1, 3)).eqns
    assert equation.params["out_shardings"] == (place,)
    assert equation.params["donated_invars"] == (True, False)


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", None])
def test_the_type_that_is_asked_for_is_given(wanted: str | None) -> None:
    import jax.numpy as jnp
    from jax import lax

    from frameworks.jax.tuned import tuned

    for groups in (8, 1):
        x, kernel = jnp.full((1, 1, 300, 8), 1, jnp.bfloat16), jnp.ones((1, 300 if groups > 1 else 1, 8 // groups, 8))

        def call(x: Any, kernel: Any, groups: int = groups) -> Any:
            options = {"preferred_element_type": wanted, "precision": "highest", "feature_group_count": groups}
            return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=NUMBERS, **options)

        y = tuned(call)(x, kernel.astype(jnp.bfloat16))
        assert y.dtype == (wanted or "bfloat16")
        assert float(y[0, 0, 0, 0]) == (300 if groups > 1 else 8)


NUMBERS = ("NHWC", "HWIO", "NHWC")


def test_what_becomes_of_a_convolution_is_told() -> None:
    import jax
    from jax import lax

    from frameworks.jax.tuned import depthwise_conv, explain, pointwise_conv

    def net(x: Any, kernels: dict[str, Any], name: str) -> tuple[Any, str]:
        with jax.named_scope("stem"):
            x = lax.conv_general_dilated(x, kernels["full"], (1, 1), "SAME", dimension_numbers=NUMBERS)
        return lax.scan(lambda y, _: (depthwise(y, kernels["depthwise"]), None), x, length=2)[0], name

    kernels = {"full": whole(3, 3, 3, 3), "depthwise": whole(3, 3, 1, 3)}
    assert [str(row) for row in explain(net, whole(2, 5, 4, 3), kernels, "static")] == [
        "stem: float32[2,5,4,3] with float32[3,3,3,3]: left as it is: a standard convolution, which XLA runs fast",
        "scan: float32[2,5,4,3] with float32[3,3,1,3]: depthwise: shifted maps",
    ]
    whole_numbers = (whole(2, 5, 4, 3).astype(int), whole(3, 3, 1, 3).astype(int))
    assert explain(depthwise, *whole_numbers)[0].form is None
    (few,) = explain(pointwise_conv, whole(1, 4, 4, 3), whole(1, 1, 3, 3))
    (large,) = explain(depthwise_conv, whole(1, 40, 40, 2), whole(31, 31, 1, 2))
    assert (few.why, large.why) == ("pointwise, of few channels", "a kernel of 961 taps, more than 441")
