"""Why a network of JAX or Flax differs: pools and activations, which are functions there, read from its program."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convparity import compare

pytestmark = pytest.mark.needs("torch", "jax", "flax")
SHAPE = (2, 3, 8, 8)
Function = Callable[[Any], Any]


def torch_net(name: str, *arguments: Any) -> Any:
    from torch import nn

    return nn.Sequential(nn.Conv2d(3, 4, 3), getattr(nn, name)(*arguments), nn.Conv2d(4, 2, 1))


def in_jax(function: Function) -> Any:
    import jax

    def conv(layer: Any, x: Any) -> Any:
        numbers = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, layer["w"], (1, 1), "VALID", dimension_numbers=numbers) + layer["b"]

    params = {
        "a": {"w": np.zeros((3, 3, 3, 4)), "b": np.zeros(4)},
        "o": {"w": np.zeros((1, 1, 4, 2)), "b": np.zeros(2)},
    }
    return (lambda params, x: conv(params["o"], function(conv(params["a"], x)))), params


def in_nnx(function: Function) -> Any:
    from flax import nnx

    rngs = nnx.Rngs(0)
    first = nnx.Conv(3, 4, (3, 3), padding="VALID", rngs=rngs)
    return nnx.Sequential(first, function, nnx.Conv(4, 2, (1, 1), rngs=rngs))


def in_linen(function: Function) -> Any:
    from flax import linen

    return linen.Sequential([linen.Conv(4, (3, 3), padding="VALID"), function, linen.Conv(2, (1, 1))])


def pool(how: str, *arguments: Any, **options: Any) -> Function:
    def pooled(x: Any) -> Any:
        from flax import linen

        return getattr(linen, f"{how}_pool")(x, *arguments, **options)

    return pooled


def act(name: str, *arguments: Any) -> Function:
    def acted(x: Any) -> Any:
        import jax

        return getattr(jax.nn, name)(x, *arguments)

    return acted


def bounded(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.minimum(jnp.maximum(x, 0), 6)


PADDED = ((1, 1), (1, 1))
WHY: dict[str, tuple[Any, Any, Function, str]] = {
    "window": (("MaxPool2d", 2), in_jax, pool("max", (3, 3), (2, 2)), "window 2 against 3"),
    "stride": (("AvgPool2d", 2), in_linen, pool("avg", (2, 2)), "stride 2 against 1"),
    "padding": (("MaxPool2d", 3, 2, 1), in_nnx, pool("max", (3, 3), (2, 2), "SAME"), "padding 1 against (0, 1)"),
    "kind of pool": (("MaxPool2d", 2), in_jax, pool("avg", (2, 2), (2, 2)), "pool maximum against average"),
    "padding in an average": (
        ("AvgPool2d", 3, 2, 1),
        in_jax,
        pool("avg", (3, 3), (2, 2), PADDED, count_include_pad=False),
        "count_include_pad True against False",
    ),
    "bound": (("ReLU6",), in_linen, act("relu"), "ReLU6 against ReLU: values above 6"),
    "bound without a name": (("ReLU",), in_jax, bounded, "ReLU against ReLU6: values above 6"),
    "slope": (("LeakyReLU", 0.2), in_jax, act("leaky_relu", 0.1), "slope 0.2 against 0.1"),
    "slope by default": (("LeakyReLU", 0.2), in_nnx, act("leaky_relu"), "slope 0.2 against 0.01"),
    "alpha": (("ELU", 0.5), in_jax, act("elu"), "alpha 0.5 against 1"),
    "GELU": (("GELU",), in_jax, act("gelu"), "approximation exact against tanh"),
    "function": (("SiLU",), in_jax, act("hard_swish"), "SiLU against Hardswish"),
}


@pytest.mark.parametrize("kind", WHY)
def test_the_reason_is_read_from_the_program(kind: str) -> None:
    (name, *arguments), make, function, reason = WHY[kind]
    comparison = compare(torch_net(name, *arguments), make(function), SHAPE)
    assert not comparison.agrees
    assert [difference.text for difference in comparison.settings] == [reason]
    assert len(comparison.reasons) == 1
    assert comparison.reasons[0].endswith(reason)


@pytest.mark.parametrize(
    ("torch_layer", "function"),
    [
        (("Hardswish",), lambda x: x * act("relu6")(x + 3) / 6),
        (("SiLU",), lambda x: x * act("sigmoid")(x)),
        (("AvgPool2d", 3, 2, 1), pool("avg", (3, 3), (2, 2), PADDED)),
        (("LeakyReLU",), act("leaky_relu")),
        (("GELU", "tanh"), act("gelu")),
    ],
)
def test_equal_functions_have_no_other_settings(torch_layer: Any, function: Function) -> None:
    comparison = compare(torch_net(*torch_layer), in_jax(function), SHAPE)
    assert (comparison.agrees, comparison.settings) == (True, ())
