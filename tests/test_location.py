"""Every failed level names the layer at which it begins, or the last one that agrees: in code outside layers too."""

import importlib
from dataclasses import replace
from typing import Any

import pytest

import frameworks
from common.check.divergence import OPTIMISER
from common.check.judge import check, expectations
from common.faults.cases import SEPARABLE
from common.faults.injection import Fault, Faulty, Update
from common.oracle.optimisers import Optimiser, updater
from common.results.record import CheckResult
from common.spec.catalogue import Case, block
from tests.support import numpy_backend

CASE = Case("tiny", block("conv_bn_act", in_channels=3, out_channels=4), (2, 3, 8, 9))
CALL = {"torch": "forward", "paddle": "forward", "flax": "__call__"}


def failures(name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch, training: bool = True) -> dict[str, CheckResult]:
    """What fails where this is the hand-written block of a framework: a way to call it or, in JAX, all of it."""
    blocks = importlib.import_module(f"frameworks.{name}.blocks").BLOCKS
    call = CALL.get(name)
    other = type("Wrong", (blocks["conv_bn_act"],), {call: wrong}) if call else wrong
    monkeypatch.setitem(blocks, "conv_bn_act", other)
    expected = expectations(CASE) if training else replace(expectations(CASE), training=None)
    failed = [result for result in check(CASE, frameworks.load(name), expected) if not result.passed]
    for result in failed:
        assert result.layer, result.message
        assert result.layer.split()[-1] in result.message
        assert "``" not in result.message
    return {result.level: result for result in failed}


@pytest.mark.needs("torch")
def test_code_after_the_last_layer_is_said_to_come_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = failures("torch", lambda block, x: block.act(block.norm(block.conv(x))) * 1.01, monkeypatch)
    assert found["forward"].message.endswith("; begins after `act`, the last layer that agrees")
    assert found["forward_train"].message.endswith("; begins after `act`, the last layer that agrees")
    assert found["gradients"].message.endswith("; begins after act, in code outside the layers")
    assert {result.layer for result in found.values()} == {"after act"}


@pytest.mark.needs("torch")
def test_code_before_and_between_layers_is_the_next_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    found = failures("torch", lambda block, x: block.act(block.norm(block.conv(x * 1.01))), monkeypatch)
    assert found["forward"].message.endswith("; begins at `conv` (Conv2d), which is itself wrong")
    found = failures("torch", lambda block, x: block.act(block.norm(block.conv(x) * 1.01)), monkeypatch)
    assert found["forward"].message.endswith("; begins at `norm` (BatchNorm2d), which is itself wrong")


@pytest.mark.needs("torch")
def test_a_block_that_calls_no_layer_is_wrong_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    found = failures("torch", lambda block, x: x[:, [0, 1, 2, 0]], monkeypatch, training=False)
    assert found["forward"].message.endswith("; begins before `conv`, the first layer: none was seen")
    assert {result.layer for result in found.values()} == {"before conv"}


def jax_cut(params: Any, stats: Any, x: Any, *, train: bool = False) -> Any:
    from frameworks.jax.blocks import separable  # where the functions are watched

    y = separable.conv2d(params["conv"], x, padding=((1, 1), (1, 1)))
    return separable.batch_norm(params["norm"], stats["norm"], y[..., :3], train=train)


CUTS = {
    "torch": lambda block, x: block.act(block.norm(block.conv(x)[:, :3])),
    "paddle": lambda block, x: block.act(block.norm(block.conv(x)[:, :3])),
    "flax": lambda block, x: block.norm(block.conv(x)[..., :3]),
    "jax": jax_cut,
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(name)) for name in CUTS])
def test_a_block_that_raises_is_seen_as_far_as_it_comes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (failed,) = failures(name, CUTS[name], monkeypatch, training=False).values()
    assert failed.level == "builds"
    assert failed.layer == "after conv"
    assert failed.message.endswith("; begins after `conv`, the last layer that agrees")


@pytest.mark.needs("torch")
def test_a_block_that_raises_in_training_alone_is_seen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = CUTS["torch"]
    usual = importlib.import_module("frameworks.torch.blocks").BLOCKS["conv_bn_act"].forward
    found = failures("torch", lambda block, x: cut(block, x) if block.training else usual(block, x), monkeypatch)
    assert set(found) == {"forward_train"}
    assert found["forward_train"].message.endswith("; begins after `conv`, the last layer that agrees")


@pytest.mark.needs("flax")
def test_an_inner_shape_that_is_wrong_in_flax_is_found_at_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(block: Any, x: Any) -> Any:
        """The right shape in the end: rows are left out before the convolution, and repeated after the norm."""
        y = block.norm(block.conv(x[:, 1:]))
        return y.repeat(8, axis=1)[:, :8]

    found = failures("flax", cut, monkeypatch, training=False)
    assert found["forward"].message.endswith("; begins at `conv` (Conv2d), which is itself wrong")


def test_a_wrong_parameter_that_the_optimiser_renews_is_named() -> None:
    """Where the gradients of several layers are exchanged, it is the optimiser."""
    conv, first, second = "pointwise.conv.weight", "pointwise.norm.weight", "pointwise.norm.bias"

    def crossed(optimiser: Optimiser) -> Update:
        plain = updater(optimiser)
        return lambda params, given: plain(params, given | {first: given[second], second: given[first]})

    def scaled(optimiser: Optimiser) -> Update:
        plain = updater(optimiser)
        return lambda params, given: plain(params, given | {first: 2 * given[first], conv: -given[conv]})

    for make, layer in ((crossed, "pointwise.norm"), (scaled, OPTIMISER)):
        wrong = Faulty(numpy_backend, Fault("", "", SEPARABLE, "", "", update=make))
        failed = [result for result in check(SEPARABLE, wrong) if not result.passed]
        assert (failed[0].level, failed[0].layer) == ("trajectory", layer)
        assert failed[0].message.endswith(f"; at `{layer}`")
