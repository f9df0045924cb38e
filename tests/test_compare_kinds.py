"""What people really have: modules of kinds that a comparison must take as they are, and differences it must see."""

from typing import Any

import numpy as np
import pytest

from common.port.live import outputs
from common.port.pairing import fitting
from common.port.weights import PortError
from convparity import assert_parity, compare

kinds = pytest.importorskip("tests.support.kinds", reason="needs torch")
nn: Any = kinds.nn
SHAPE = (2, 3, 6, 8)
SAME: dict[str, tuple[Any, Any]] = {
    "dropout in a module, and as a function": (kinds.tail(nn.Dropout(0.2)), kinds.functional_dropout()),
    "stochastic depth": (kinds.tail(kinds.DropPath()), kinds.tail(kinds.DropPath())),
    "random training": (kinds.noisy(), kinds.noisy()),
    "several outputs": (kinds.several("dict"), kinds.several("dict")),
    "outputs of other names": (kinds.several("dict"), kinds.several("tuple")),
    "a layer that runs twice": (kinds.twice(""), kinds.twice("")),
    "one module of two names": (kinds.twice("module"), kinds.twice("")),
    "one array of two modules": (kinds.twice("arrays"), kinds.twice("module")),
    "weight norm, old and new": (kinds.normed("old"), kinds.normed("new")),
    "a buffer, and a literal": (kinds.blurred("buffer"), kinds.blurred("literal")),
    "an array that is one number": (kinds.scaled("scale", ()), kinds.scaled("scale", ())),
    "an array of its own, of another form": (kinds.scaled("gamma", (4,)), kinds.scaled("scale", (4, 1, 1))),
    "a 1x1 convolution, and a linear layer": (kinds.excited(False), kinds.excited(True)),
    "branches of another order": (kinds.branches("same first"), kinds.branches("same last")),
    "a cast": (kinds.cast(True), kinds.cast(False)),
    "an activation in place on the input": (kinds.headed(True), kinds.headed(False)),
    "an activation in the norm": (kinds.activated(True), kinds.activated(False)),
    "one slope, and arrays of rank 1": (kinds.tail(nn.PReLU()), kinds.tail(nn.PReLU())),
}  # fmt: skip
DIFFERENT: dict[str, tuple[Any, Any, str]] = {
    "dropout": (kinds.tail(nn.Dropout(0.2)), kinds.tail(nn.Dropout(0.8)), "`1` (1): dropout has rates 0.2 and 0.8"),
    "no dropout": (kinds.tail(nn.Dropout(0.2)), kinds.tail(), "`1` (nothing): dropout has rates 0.2 and 0"),
    "a buffer": (kinds.blurred("buffer"), kinds.blurred("buffer", 2), "buffer `kernel` has other values"),
    "eps behind a fused activation": (
        kinds.activated(True, 1e-3),
        kinds.activated(False),
        "differs: `4` (4): greatest",
    ),
    "momentum": (
        kinds.tail(nn.BatchNorm2d(4)),
        kinds.tail(nn.BatchNorm2d(4, momentum=0.2)),
        "first layer that differs: `1` (1): running statistic `running_mean`",
    ),
    "a bound that values near 0 do not reach": (
        kinds.tail(nn.AdaptiveAvgPool2d(1), nn.ReLU()),
        kinds.tail(nn.AdaptiveAvgPool2d(1), nn.ReLU6()),
        "output in evaluation far from 0: DIFFERS",
    ),
    "what is computed between two layers": (
        kinds.tail(nn.ReLU6(), nn.Conv2d(4, 2, 1)),
        kinds.tail(nn.Hardtanh(0, 1), nn.Conv2d(4, 2, 1)),
        "`2` (2): its input differs already, by what is computed after `0`",
    ),
}


@pytest.mark.parametrize("kind", SAME)
def test_the_same_function_agrees(kind: str) -> None:
    assert_parity(*SAME[kind], SHAPE)


@pytest.mark.parametrize("kind", DIFFERENT)
def test_another_function_differs_and_the_place_is_named(kind: str) -> None:
    first, second, message = DIFFERENT[kind]
    with pytest.raises(AssertionError) as caught:
        assert_parity(first, second, SHAPE)
    assert message in str(caught.value)


def test_what_is_left_out_is_said() -> None:
    notes = "\n".join(compare(*SAME["random training"], SHAPE).notes)
    assert "training is left out: the module in torch trains at random" in notes
    assert "output `low` is compared with `0`" in compare(*SAME["outputs of other names"], SHAPE).notes


def test_one_output_is_chosen_and_more_outputs_on_one_side_are_refused() -> None:
    assert_parity(kinds.several("dict"), kinds.several("one"), SHAPE, output="high")
    with pytest.raises(PortError, match=r"return 2 \(low, high\) and 1 \(output\) outputs; choose one with --output"):
        assert_parity(kinds.several("dict"), kinds.several("one"), SHAPE)
    with pytest.raises(PortError, match="no output is called `mid`; choose from low, high"):
        assert_parity(kinds.several("dict"), kinds.several("dict"), SHAPE, output="mid")


def test_several_inputs_of_any_rank_are_given() -> None:
    assert_parity(kinds.two_inputs(), kinds.two_inputs(), [SHAPE, (2, 5)])
    with pytest.raises(AssertionError, match="output in evaluation: DIFFERS"):
        assert_parity(kinds.two_inputs(), kinds.two_inputs(swapped=True), [SHAPE, (2, 5)])


def test_query_key_and_value_in_one_array_agree_with_three_layers() -> None:
    comparison = compare(kinds.Attention(True), kinds.Attention(False), (2, 5, 8))
    assert comparison.agrees
    assert "matched layers with query, key and value in one" in comparison.notes


def test_a_map_names_arrays() -> None:
    def net(*names: str) -> Any:
        parts = {name: nn.Parameter(kinds.torch.ones(4)) for name in names}

        def scale(made: Any, x: Any) -> Any:
            return made.conv(x) * made.gain.reshape(-1, 1, 1) + made.shift.reshape(-1, 1, 1)

        return kinds.Made(scale, conv=kinds.conv(), **parts)

    swapped = net("shift", "gain"), net("gain", "shift")
    assert not compare(*swapped, SHAPE).agrees
    assert_parity(*swapped, SHAPE, names={"gain": "gain"})
    assert_parity(*swapped, SHAPE, names={"conv.weight": "conv.weight", "shift": "shift"})


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # people still have such modules
@pytest.mark.parametrize("how", ["compiled", "traced", "scripted"])
def test_compiled_modules_agree_with_what_they_were(how: str) -> None:
    net = kinds.tail(nn.BatchNorm2d(4), nn.ReLU())
    torch = kinds.torch
    made = {
        "compiled": lambda: torch.compile(net),
        "traced": lambda: torch.jit.trace(net.eval(), torch.ones(SHAPE)),
        "scripted": lambda: torch.jit.script(net),
    }[how]()
    comparison = compare(made, net, SHAPE)
    assert comparison.agrees
    assert any("left out" in note for note in comparison.notes) == (how == "traced")


@pytest.mark.needs("paddle")
@pytest.mark.parametrize("first", ["torch", "paddle"])
def test_constants_in_float32_are_equal_to_float32_and_others_are_not(first: str) -> None:
    from paddle import nn as paddle

    def net(framework: str, eps: float, gate: str = "Hardsigmoid") -> Any:
        if framework == "torch":
            return kinds.tail(nn.BatchNorm2d(4, eps=eps), getattr(nn, gate)(), nn.Conv2d(4, 2, 1))
        conv, head = paddle.Conv2D(3, 4, 3), paddle.Conv2D(4, 2, 1)
        return paddle.Sequential(conv, paddle.BatchNorm2D(4, epsilon=eps), getattr(paddle, gate)(), head)

    second = {"torch": "paddle", "paddle": "torch"}[first]
    comparison = compare(net(first, 1e-3), net(second, 1e-3), SHAPE)
    assert comparison.agrees
    assert any(note.startswith("equal to float32") for note in comparison.notes)
    named = "first layer that differs: " + {"torch": "", "paddle": "seen from torch: "}[first]
    with pytest.raises(AssertionError, match=rf"{named}`1` \(1\): greatest"):
        assert_parity(net(first, 1e-5), net(second, 1.1e-5), SHAPE)
    with pytest.raises(AssertionError, match=rf"{named}`3` \(3\): its input differs already"):
        assert_parity(net(first, 1e-3), net(second, 1e-3, "Sigmoid"), SHAPE)


def test_outputs_are_found_in_trees() -> None:
    y = np.zeros(3)
    assert outputs(y, np.ndarray) == {"output": y}
    assert list(outputs({"a": (y, None), "b": [y, y]}, np.ndarray)) == ["a.0", "b.0", "b.1"]
    with pytest.raises(PortError, match="the module returns int, in which there is no tensor"):
        outputs(3, np.ndarray)


def test_a_layout_is_found_by_shape_and_then_by_values() -> None:
    right = np.random.default_rng(0).standard_normal((2, 3, 3, 3))
    last = np.moveaxis(right, 1, -1)
    assert fitting(last, right, ("from last", "")) == "from last"
    assert fitting(right, right, ("from last", "")) == ""
    assert fitting(np.zeros((2, 4)), right, ("from last", "")) == "from last"
