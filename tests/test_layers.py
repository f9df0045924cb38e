"""Each kind of layer states all of its rules, and its outputs and gradients are those worked out by hand."""

import numpy as np
import pytest

from common.layers import (
    GELU,
    KINDS,
    ChannelShuffle,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    Layer,
    LayerNorm2d,
    LayerScale,
    MaxPool2d,
    Multiply,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
)
from common.layers.base import Elementwise
from common.layers.values import SpecError
from tests.support.graphs import EVERYTHING, MODERN

METHODS = ("channels", "output_shape", "macs", "forward", "backward", "rounding", "carried")
LISTED = ("formula", "kinks")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_states_every_rule(kind: type[Layer]) -> None:
    """A rule that a class does not state raises only when it is called; this test names it before."""
    missing = [rule for rule in METHODS if getattr(kind, rule) is getattr(Layer, rule)]
    missing += [rule for rule in LISTED if not hasattr(kind, rule)]
    if issubclass(kind, Elementwise):
        rules = ("value", "slope", "value_rounding", "slope_rounding")
        missing += [rule for rule in rules if getattr(kind, rule) is getattr(Elementwise, rule)]
    elif kind.gradient_rounding is Layer.gradient_rounding and kind.rounded_gradients is Layer.rounded_gradients:
        missing.append("gradient_rounding or rounded_gradients")
    if kind.kinks and kind.beside_kinks is Layer.beside_kinks:
        missing.append("beside_kinks")
    assert missing == []


def test_every_kind_is_in_a_graph_that_all_frameworks_are_compared_on() -> None:
    assert {type(node.layer) for graph in (EVERYTHING, MODERN) for node in graph.nodes} == set(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, Elementwise)], ids=lambda k: k.__name__)
def test_a_kink_is_where_the_slope_jumps_and_nowhere_else(kind: type[Elementwise]) -> None:
    layer, x = kind(), np.arange(-8.005, 8, 0.01)
    jumps = np.abs(np.diff(layer.slope(x))) > 0.05
    assert [round(float(left) + 0.005, 2) for left in x[:-1][jumps]] == list(layer.kinks)


def test_a_layer_that_states_nothing_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="Layer states no rule `backward`"):
        Layer().backward({}, [np.zeros(1)], np.zeros(1), np.zeros(1))


X = np.array([-4.0, -3, -1, 0, 1, 3, 7])


@pytest.mark.parametrize(
    ("layer", "y", "slope"),
    [
        (ReLU(), [0, 0, 0, 0, 1, 3, 7], [0, 0, 0, 0, 1, 1, 1]),
        (ReLU6(), [0, 0, 0, 0, 1, 3, 6], [0, 0, 0, 0, 1, 1, 0]),
        (Hardsigmoid(), [0, 0, 1 / 3, 1 / 2, 2 / 3, 1, 1], [0, 0, 1 / 6, 1 / 6, 1 / 6, 0, 0]),
        (Hardswish(), [0, 0, -1 / 3, 0, 2 / 3, 3, 7], [0, 0, 1 / 6, 1 / 2, 5 / 6, 1, 1]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Layer) else "",
)
def test_activations_by_hand(layer: Elementwise, y: list[float], slope: list[float]) -> None:
    np.testing.assert_allclose(layer.forward({}, X), y, rtol=1e-15)
    np.testing.assert_allclose(layer.backward({}, [X], np.array(y), 2 * np.ones(7))[0][0], 2 * np.array(slope))


def test_smooth_activations_by_hand() -> None:
    # At log 3 the sigmoid is 3 / 4 and its slope 3 / 16; the normal distribution function at 1 is 0.841344746068543.
    x, one = np.array([np.log(3)]), np.array([1.0])
    assert Sigmoid().value(x) == pytest.approx(0.75)
    assert Sigmoid().slope(x) == pytest.approx(3 / 16)
    assert SiLU().value(x) == pytest.approx(0.75 * np.log(3))
    assert SiLU().slope(x) == pytest.approx(0.75 + 3 / 16 * np.log(3))
    assert GELU().value(one) == pytest.approx(0.841344746068543)
    assert GELU().slope(one) == pytest.approx(0.841344746068543 + np.exp(-0.5) / np.sqrt(2 * np.pi))
    assert GELU("tanh").value(one) == pytest.approx((1 + np.tanh(np.sqrt(2 / np.pi) * 1.044715)) / 2)
    assert abs(GELU("tanh").value(one) - GELU().value(one)) > 1e-4


MAP = np.array([[[[1.0, -2, 3], [4, 4, -6]]]])


def test_a_maximum_passes_its_gradient_to_the_first_of_the_largest_and_never_to_padding() -> None:
    pool = MaxPool2d((2, 2), (1, 1), (1, 0))
    y = pool.forward({}, MAP)
    np.testing.assert_array_equal(y, [[[[1, 3], [4, 4], [4, 4]]]])
    (dx,), _ = pool.backward({}, [MAP], y, np.array([[[[1.0, 10], [100, 1000], [10000, 100000]]]]))
    np.testing.assert_array_equal(dx, [[[[1, 0, 10], [10100, 101000, 0]]]])
    negative = -np.ones((1, 1, 2, 2))
    np.testing.assert_array_equal(MaxPool2d((2, 2), padding=(1, 1)).forward({}, negative), negative)


def test_a_gate_holds_for_the_whole_map_and_is_given_the_sum_of_its_gradients() -> None:
    x, gate = np.arange(8.0).reshape(1, 2, 2, 2), np.array([[[[10.0]], [[100.0]]]])
    y = Multiply().forward({}, x, gate)
    np.testing.assert_array_equal(y, [[[[0, 10], [20, 30]], [[400, 500], [600, 700]]]])
    by_x, by_gate = Multiply().backward({}, [x, gate], y, np.ones_like(y))[0]
    np.testing.assert_array_equal(by_x, np.broadcast_to(gate, x.shape))
    np.testing.assert_array_equal(by_gate, [[[[0 + 1 + 2 + 3]], [[4 + 5 + 6 + 7]]]])
    assert Multiply().output_shape((1, 2, 1, 1), (1, 2, 3, 4)) == (1, 2, 3, 4)
    with pytest.raises(SpecError, match=r"multiply needs equal shapes, or a gate of 1 x 1, not \(1, 2, 3, 1\)"):
        Multiply().output_shape((1, 2, 3, 1), (1, 2, 3, 4))
    with pytest.raises(SpecError, match="multiply takes two inputs, not 3"):
        Multiply().channels(2, 2, 2)


def test_a_shuffle_takes_a_channel_of_each_group_in_turn_and_back() -> None:
    x = np.arange(6.0).reshape(1, 6, 1, 1)
    y = ChannelShuffle(2).forward({}, x)
    assert y.ravel().tolist() == [0, 3, 1, 4, 2, 5]
    (back,), _ = ChannelShuffle(2).backward({}, [x], y, y)
    np.testing.assert_array_equal(back, x)
    with pytest.raises(SpecError, match=r"`groups` \(=4\) must divide the 6 channels"):
        ChannelShuffle(4).channels(6)


def test_layer_scale_by_hand() -> None:
    x = np.array([[[[1.0, 3.0]], [[5.0, 7.0]]]])
    y = LayerScale(2).forward({"weight": np.array([2.0, -1.0])}, x)
    np.testing.assert_array_equal(y, [[[[2, 6]], [[-5, -7]]]])
    (dx,), by_name = LayerScale(2).backward(
        {"weight": np.array([2.0, -1.0])}, [x], y, np.array([[[[1.0, 2]], [[3, 4]]]])
    )
    np.testing.assert_array_equal(dx, [[[[2, 4]], [[-3, -4]]]])
    np.testing.assert_array_equal(by_name["weight"], [1 * 1 + 2 * 3, 3 * 5 + 4 * 7])
    assert LayerScale(2, 0.1).initial(np.random.default_rng(0))["weight"].tolist() == [0.1, 0.1]
    with pytest.raises(SpecError, match=r"`value` \(=0.0\) must not be 0"):
        LayerScale(2, 0.0)


def test_norms_of_one_sample_by_hand() -> None:
    # Two channels and two pixels: the group has all four numbers, a layer norm takes the two of a pixel.
    x = np.array([[[[1.0, 3.0]], [[5.0, 7.0]]]])
    arrays = {"weight": np.array([2.0, 1.0]), "bias": np.array([0.0, 0.5])}
    unit = (x - 4) / np.sqrt(5 + 1)  # mean 4, variance (9 + 1 + 1 + 9) / 4
    right = unit * [[[[2]], [[1]]]] + [[[[0]], [[0.5]]]]
    np.testing.assert_allclose(GroupNorm(2, eps=1.0, num_groups=1).forward(arrays, x), right)
    pixels = np.array([[[[-2, -2]], [[2, 2]]]]) / np.sqrt(4 + 1)  # each pixel has mean 3 or 5, and variance 4
    np.testing.assert_allclose(LayerNorm2d(2, eps=1.0, affine=False).forward({}, x), pixels)
    with pytest.raises(SpecError, match=r"`num_groups` \(=3\) must divide `num_features` \(=4\)"):
        GroupNorm(4, num_groups=3)
