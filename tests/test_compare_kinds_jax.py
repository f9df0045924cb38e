"""The kinds of modules that JAX and Flax have, each against one network of PyTorch."""

from typing import Any, NamedTuple

import pytest

from common.port.weights import PortError
from convparity import assert_parity, compare

pytestmark = pytest.mark.needs("torch", "jax", "flax")
SHAPE = (2, 3, 6, 8)


def torch_net(transposed: bool = False) -> Any:
    from torch import nn

    conv = nn.ConvTranspose2d(3, 4, 2, 2) if transposed else nn.Conv2d(3, 4, 3, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(4), nn.PReLU())


def linen_net(how: str) -> Any:
    """A stated type; the mode as a field, as a required argument of another name, or nowhere."""
    import jax.numpy as jnp
    from flax import linen

    class Net(linen.Module):
        train: bool = True
        dtype: Any = jnp.float32

        @linen.compact
        def layers(self, x: Any, average: bool) -> Any:
            x = linen.Conv(4, (3, 3), padding=1, dtype=self.dtype)(x).astype(self.dtype)
            return linen.PReLU()(linen.BatchNorm(average, momentum=0.9, dtype=self.dtype)(x))

    class Field(Net):
        def __call__(self, x: Any) -> Any:
            return self.layers(x, not self.train)

    class Argument(Net):
        def __call__(self, x: Any, mode: str) -> Any:
            return self.layers(x, mode != "train")

    class Never(Net):
        train: Any = "no switch"

        def __call__(self, x: Any) -> Any:
            return self.layers(x, True)

    class Always(Never):
        def __call__(self, x: Any) -> Any:
            return self.layers(x, False)

    return {"field": Field, "argument": Argument, "never": Never, "always": Always}[how]()


@pytest.mark.parametrize("how", ["field", "argument"])
def test_a_linen_module_computes_in_float64_and_in_the_mode_that_is_meant(how: str) -> None:
    comparison = compare(torch_net(), linen_net(how), SHAPE)
    assert comparison.agrees
    assert any(finding.what == "running statistics after a pass" for finding in comparison.findings)


def test_training_is_not_compared_with_evaluation() -> None:
    comparison = compare(torch_net(), linen_net("never"), SHAPE)
    assert comparison.agrees
    assert any("no switch of the mode was found in flax, whose norms did not move" in n for n in comparison.notes)
    with pytest.raises(PortError, match="the module in flax trains in evaluation: no switch of its mode was found"):
        compare(torch_net(), linen_net("always"), SHAPE)


def test_an_nnx_module_with_a_required_mode_and_a_transposed_convolution_agrees() -> None:
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.up = nnx.ConvTranspose(3, 4, (2, 2), (2, 2), padding="VALID", rngs=rngs)
            self.norm, self.slope = nnx.BatchNorm(4, momentum=0.9, rngs=rngs), nnx.PReLU()

        def __call__(self, x: Any, train: bool) -> Any:
            return self.slope(self.norm(self.up(x), use_running_average=not train))

    assert_parity(torch_net(transposed=True), Net(nnx.Rngs(0)), SHAPE)


class Layer(NamedTuple):
    w: Any
    b: Any


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_function_of_named_tuples_agrees_in_either_layout(layout: str) -> None:
    import jax
    import jax.numpy as jnp
    from torch import nn

    kernel = (4, 3, 3, 3) if layout == "NCHW" else (3, 3, 3, 4)
    numbers = (layout, "OIHW" if layout == "NCHW" else "HWIO", layout)

    def apply(params: list[Layer], x: Any) -> Any:
        (layer,) = params
        y = jax.lax.conv_general_dilated(x, layer.w, (1, 1), "SAME", dimension_numbers=numbers)
        return y + (layer.b[:, None, None] if layout == "NCHW" else layer.b)

    net = apply, [Layer(jnp.zeros(kernel), jnp.zeros(4))]
    assert_parity(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1)), net, SHAPE)
