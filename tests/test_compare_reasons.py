"""Why modules differ: settings of layers, in the same words in every framework, and what values tell."""

from typing import Any

import numpy as np
import pytest

from common.port.settings import padding_done
from convparity import compare
from report.port.modules import lines
from tests.conftest import require

kinds = pytest.importorskip("tests.support.kinds", reason="needs torch")
nn: Any = kinds.nn
F: Any = kinds.F
SHAPE = (2, 3, 7, 9)


def conv(**options: Any) -> Any:
    return nn.Sequential(nn.Conv2d(3, 4, 3, **options))


def between(function: Any) -> Any:
    return kinds.Made(lambda net, x: net.b(function(net.a(x))), a=kinds.conv(), b=nn.Conv2d(4, 2, 1))


def flattened(last: bool) -> Any:
    def forward(net: Any, x: Any) -> Any:
        return net.b((net.a(x).permute(0, 2, 3, 1) if last else net.a(x)).flatten(1))

    return kinds.Made(forward, a=kinds.conv(), b=nn.Linear(4 * 5 * 7, 2))


WHY: dict[str, tuple[Any, Any, str]] = {
    "eps": (kinds.tail(nn.BatchNorm2d(4, 1e-3)), kinds.tail(nn.BatchNorm2d(4)), "eps 0.001 against 1e-05"),
    "momentum": (
        kinds.tail(nn.BatchNorm2d(4)),
        kinds.tail(nn.BatchNorm2d(4, momentum=0.9)),
        "momentum 0.1 against 0.9 = 1 - 0.1 (weight of the new value)",
    ),
    "padding": (conv(), conv(padding=1), "padding 0 against 1"),
    "stride": (conv(stride=2), conv(), "stride 2 against 1"),
    "dilation": (conv(dilation=2, padding=2), conv(padding=2), "dilation 2 against 1"),
    "padding mode": (conv(padding=1), conv(padding=1, padding_mode="reflect"), "padding mode zeros against reflect"),
    "groups of a norm": (kinds.tail(nn.GroupNorm(2, 4)), kinds.tail(nn.GroupNorm(4, 4)), "groups 2 against 4"),
    "bound": (
        kinds.tail(nn.ReLU6(), nn.Conv2d(4, 2, 1)),
        kinds.tail(nn.ReLU(), nn.Conv2d(4, 2, 1)),
        "ReLU6 against ReLU: values above 6",
    ),
    "slope": (kinds.tail(nn.LeakyReLU(0.1)), kinds.tail(nn.LeakyReLU(0.2)), "slope 0.1 against 0.2"),
    "GELU": (kinds.tail(nn.GELU()), kinds.tail(nn.GELU("tanh")), "approximation exact against tanh"),
    "pool": (
        kinds.tail(nn.AvgPool2d(3, 2, 1)),
        kinds.tail(nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
        "count_include_pad True against False",
    ),
    "ceil": (kinds.tail(nn.MaxPool2d(2)), kinds.tail(nn.MaxPool2d(2, ceil_mode=True)), "ceil_mode False against True"),
    "corners": (
        kinds.tail(nn.Upsample(None, 2, "bilinear")),
        kinds.tail(nn.Upsample(None, 2, "bilinear", align_corners=True)),
        "align_corners False against True",
    ),
    "functions": (between(F.silu), between(F.elu), "SiLU against ELU"),
    "slopes of functions": (
        between(lambda x: F.leaky_relu(x, 0.1)),
        between(lambda x: F.leaky_relu(x, 0.2)),
        "LeakyReLU of slope 0.1 against LeakyReLU of slope 0.2",
    ),
    "a function's bound": (between(F.relu), between(F.relu6), "ReLU against ReLU6: values above 6"),
    "flatten": (flattened(False), flattened(True), "inputs after a flatten of 4 channels, which come last"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WHY)
def test_the_reason_stands_beside_the_first_difference(kind: str) -> None:
    first, second, reason = WHY[kind]
    comparison = compare(first, second, SHAPE)
    assert not comparison.agrees
    assert len(comparison.reasons) == 1
    assert comparison.reasons[0].endswith(reason)
    settings = [str(difference) for difference in comparison.settings]
    read = kind not in ("functions", "slopes of functions", "a function's bound", "flatten")
    assert [text.partition(": ")[2] for text in settings] == ([reason] if read else [])
    assert lines(comparison)[0] == (f"other settings: {settings[0]}" if read else "parameters: agrees")


class Same(nn.Conv2d):
    def forward(self, *args: Any, **options: Any) -> Any:
        return super().forward(F.pad(args[0], (1, 1, 1, 1)), **options)


class Pool(nn.AvgPool2d):
    """A subclass whose name ends in no number."""


def test_equal_functions_by_other_settings_are_no_difference() -> None:
    same = [
        (conv(padding=1), conv(padding="same")),
        (conv(padding=1), nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(3, 4, 3))),
        (conv(padding=1), nn.Sequential(Same(3, 4, 3))),
        (kinds.tail(Pool(2)), kinds.tail(nn.AvgPool2d(2))),
        (kinds.tail(nn.ReLU6()), kinds.tail(nn.Hardtanh(0, 6))),
        (kinds.tail(nn.AvgPool2d(2)), kinds.tail(nn.AvgPool2d(2, count_include_pad=False))),
    ]
    for first, second in same:
        comparison = compare(first, second, SHAPE)
        assert (comparison.agrees, comparison.settings) == (True, ())


def test_settings_without_effect_are_said_to_have_none() -> None:
    first, second = (kinds.tail(nn.MaxPool2d(1, ceil_mode=ceil)) for ceil in (False, True))
    comparison = compare(first, second, SHAPE)
    assert comparison.agrees
    assert lines(comparison)[:2] == [
        "other settings: `1` (1): ceil_mode False against True",
        "these settings have no effect on what was compared",
    ]


def paddle() -> Any:
    from paddle import nn

    return nn.Sequential(nn.Conv2D(3, 4, 3, 2, 1), nn.BatchNorm2D(4, 0.8, 1e-3), nn.ReLU6(), nn.Conv2D(4, 2, 1))


def nnx() -> Any:
    from flax import nnx

    r = nnx.Rngs(0)
    conv = nnx.Conv(3, 4, (3, 3), 2, padding="SAME", rngs=r)
    norm = nnx.BatchNorm(4, momentum=0.8, epsilon=1e-3, rngs=r)
    return nnx.Sequential(conv, norm, nnx.relu6, nnx.Conv(4, 2, (1, 1), rngs=r))


def linen() -> Any:
    import jax
    from flax import linen

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x: jax.Array, train: bool) -> jax.Array:
            x = linen.Conv(4, (3, 3), 2, padding="SAME")(x)
            x = linen.BatchNorm(not train, momentum=0.8, epsilon=1e-3)(x)
            return linen.Conv(2, (1, 1))(jax.nn.relu6(x))

    return Net()


def jax() -> Any:
    import jax

    numbers = ("NHWC", "HWIO", "NHWC")
    params = {
        "a": {"kernel": np.zeros((3, 3, 3, 4)), "bias": np.zeros(4)},
        "n": {"scale": np.zeros(4), "bias": np.zeros(4), "mean": np.zeros(4), "var": np.zeros(4)},
        "o": {"kernel": np.zeros((1, 1, 4, 2)), "bias": np.zeros(2)},
    }

    def apply(params: Any, x: jax.Array) -> jax.Array:
        a, n, o = params.values()
        x = jax.lax.conv_general_dilated(x, a["kernel"], (2, 2), "SAME", dimension_numbers=numbers) + a["bias"]
        x = jax.nn.relu6((x - n["mean"]) / jax.numpy.sqrt(n["var"] + 1e-3) * n["scale"] + n["bias"])
        return jax.lax.conv_general_dilated(x, o["kernel"], (1, 1), "SAME", dimension_numbers=numbers) + o["bias"]

    return apply, params


MAKERS = {"paddle": paddle, "flax": nnx, "linen": linen, "jax": jax}


@pytest.mark.parametrize("name", MAKERS)
def test_every_frameworks_settings_are_read_in_the_same_words(name: str, request: pytest.FixtureRequest) -> None:
    require(request.config, "flax" if name == "linen" else name)
    first = nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    texts = {str(difference).partition(": ")[2] for difference in compare(first, MAKERS[name](), (2, 3, 8, 8)).settings}
    same = "(0, 1)" if name == "jax" else '"same", here (0, 1)'
    padding = set() if name == "paddle" else {f"padding 1 against {same}"}
    momentum = set() if name == "jax" else {"momentum 0.1 against 0.2 (weight of the new value)"}
    always = {"stride 1 against 2", "eps 1e-05 against 0.001", "ReLU against ReLU6: values above 6"}
    assert texts == always | padding | momentum


@pytest.mark.parametrize(
    ("settings", "size", "done"),
    [
        ({"kernel": (3,), "padding": "same", "stride": (2,)}, (8,), ((0, 1),)),
        ({"kernel": (3,), "padding": ((1, 1),), "stride": (2,)}, (8,), ((1, 0),)),
        ({"kernel": (3,), "padding": "same", "stride": (2,)}, (), None),
        ({"kernel": (3,), "padding": "same", "stride": (1,), "dilation": (2,)}, (), ((2, 2),)),
        ({"kernel": (3,), "padding": "valid"}, (9,), ((0, 0),)),
        ({"window": (2,), "padding": ((0, 0),), "stride": (2,)}, (7,), ((0, -1),)),
    ],
)
def test_what_a_padding_really_adds(settings: Any, size: Any, done: Any) -> None:
    assert padding_done(settings, size) == done
