"""The training oracle against central differences, hand-worked vectors, and its own eval-mode rules."""

import numpy as np
import pytest

from common.layers import (
    BatchNorm2d,
    Conv2d,
    Dropout,
)
from common.oracle.backprop import Pass, train, trajectory, without_dropout
from common.oracle.optimisers import SGD, Adam, updater
from common.spec import BlockSpec, Node
from common.spec.catalogue import Case, block, cases
from common.spec.costs import cost
from common.spec.params import randomised
from tests.support.graphs import EVERYTHING, MODERN

# Deep and wide blocks have so many kinks that a difference quotient crosses some.
SMALL = [case for case in cases() if cost(case.spec, case.input_shape).macs < 40_000]


def differences(spec: BlockSpec, shape: tuple[int, ...], names: list[str], probes: int = 3) -> None:
    """Compares gradients with (f(p + h) - f(p - h)) / 2h at some elements of each array."""
    rng = np.random.default_rng(0)
    params = {name: value.astype(np.float64) for name, value in randomised(spec).items()}
    x = rng.normal(size=shape)
    dy = rng.normal(size=spec.output_shape(shape))
    gradients = train(spec, params, x, dy).gradients

    def loss(params: dict[str, np.ndarray], x: np.ndarray) -> float:
        return float((train(spec, params, x, None).values[spec.nodes[-1].name] * dy).sum())

    h = 1e-6
    for name in names:
        array = x if name == "input" else params[name]
        for flat in rng.choice(array.size, min(probes, array.size), replace=False):
            index = np.unravel_index(flat, array.shape)
            step = np.zeros_like(array)
            step[index] = h
            if name == "input":
                slope = (loss(params, x + step) - loss(params, x - step)) / (2 * h)
            else:
                slope = (loss(params | {name: array + step}, x) - loss(params | {name: array - step}, x)) / (2 * h)
            assert gradients[name][index] == pytest.approx(slope, rel=2e-5, abs=1e-7), (name, index)


@pytest.mark.parametrize("graph", [EVERYTHING, MODERN], ids=lambda graph: graph.family)
def test_every_layers_gradient_by_central_differences(graph: BlockSpec) -> None:
    trainable = [param.name for param in graph.params() if param.trainable]
    differences(graph, (3, 4, 9, 8), ["input", *trainable], probes=12)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_gradients_of_the_catalogue_by_central_differences(case: Case) -> None:
    trainable = [param.name for param in case.spec.params() if param.trainable]
    differences(case.spec, case.input_shape, ["input", *trainable])


def test_a_hand_worked_gradient() -> None:
    # y = 2 a + 3 b over a 1x2 window, dy = 10: dx = (20, 30), dw = 10 x, db = 10.
    spec = BlockSpec("one", {}, 1, (Node("conv", Conv2d(1, 1, (1, 2))),))
    params = {"conv.weight": np.array([[[[2.0, 3.0]]]]), "conv.bias": np.array([0.0])}
    gradients = train(spec, params, np.array([[[[5.0, 7.0]]]]), np.array([[[[10.0]]]])).gradients
    assert gradients["input"].ravel().tolist() == [20, 30]
    assert gradients["conv.weight"].ravel().tolist() == [50, 70]
    assert gradients["conv.bias"].tolist() == [10]


def norm_pass(momentum: float) -> Pass:
    spec = BlockSpec("norm", {}, 1, (Node("norm", BatchNorm2d(1, eps=1.0, momentum=momentum)),))
    params = {"weight": 2.0, "bias": 0.5, "running_mean": 10.0, "running_var": 20.0}
    arrays = {f"norm.{name}": np.array([value]) for name, value in params.items()}
    return train(spec, arrays, np.array([[[[1.0, 3.0], [5.0, 7.0]]]]), np.zeros((1, 1, 2, 2)))


def test_a_hand_worked_norm_in_training() -> None:
    # mean 4, biased variance (9 + 1 + 1 + 9) / 4 = 5; y = 2 (x - 4) / sqrt(5 + 1) + 0.5
    step = norm_pass(momentum=0.1)
    np.testing.assert_allclose(step.values["norm"].ravel(), 2 * np.array([-3, -1, 1, 3]) / np.sqrt(6) + 0.5)
    assert step.statistics["norm.running_mean"] == pytest.approx([0.9 * 10 + 0.1 * 4])
    assert step.statistics["norm.running_var"] == pytest.approx([0.9 * 20 + 0.1 * 5])
    assert norm_pass(momentum=1.0).statistics["norm.running_var"] == pytest.approx([5])


def test_statistics_are_biased() -> None:
    batch = BatchNorm2d(1).batch_statistics([np.array([1.0, 3.0]).reshape(2, 1, 1, 1)])
    assert (batch["running_mean"].tolist(), batch["running_var"].tolist()) == ([2], [1])


def test_hand_worked_optimiser_steps() -> None:
    sgd = updater(SGD(lr=0.1, momentum=0.5, weight_decay=0.2))
    once = sgd({"p": np.array([1.0])}, {"p": np.array([3.0])})
    assert once["p"] == pytest.approx([1 - 0.1 * 3.2])
    twice = sgd(once, {"p": np.array([1.0])})
    assert twice["p"] == pytest.approx([0.68 - 0.1 * (0.5 * 3.2 + 1 + 0.2 * 0.68)])
    adam = updater(Adam(lr=0.1, eps=0.0))
    # The first step of Adam is lr times the gradient's sign.
    assert adam({"p": np.array([1.0, 1.0])}, {"p": np.array([3.0, -1e-3])})["p"] == pytest.approx([0.9, 1.1])


def test_a_trajectory_moves_weights_and_statistics() -> None:
    spec = block("conv_bn_act", in_channels=2, out_channels=3)
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(2, 3, 5, 4))) for _ in range(2)]
    (first, second), _ = trajectory(spec, randomised(spec), batches, SGD())
    assert first.keys() == second.keys() == {param.name for param in spec.params()}
    assert all(not np.array_equal(first[name], second[name]) for name in first)


def test_dropout_is_compared_at_rate_0_only() -> None:
    spec = block("mobilenet_v1", classes=3, alpha=0.25, pool_size=1)
    x = np.zeros((1, 3, 32, 32))
    with pytest.raises(ValueError, match=r"dropout \(rate=0.5\) is random in training"):
        train(spec, randomised(spec), x, np.ones((1, 3)))
    quiet = without_dropout(spec)
    assert quiet.options["dropout"] == 0.0
    assert [node.layer for node in quiet.nodes if isinstance(node.layer, Dropout)] == [Dropout(0.0)]
    assert train(quiet, randomised(spec), x, np.ones((1, 3))).gradients["linear.bias"].shape == (3,)
