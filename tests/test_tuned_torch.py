"""PyTorch's tuned variant: how it is made, and that it never gives the answer of old weights."""

import functools
from typing import Any

import numpy as np
import pytest

import frameworks
from common.check.divergence import OUTPUT, TRAINED, trace
from common.check.judge import check
from common.config import LAYOUTS, MODES, NotAvailable
from common.layers import Add, BatchNorm2d, Conv2d, ReLU
from common.oracle.optimisers import SGD
from common.protocols import Backend, as_variant
from common.spec import BlockSpec, Node
from common.spec.catalogue import Case, block
from common.spec.inputs import make
from common.spec.params import Arrays, randomised
from tests import test_timed
from tests.support.graphs import EVERYTHING
from tests.test_timed import MOBILENET, SEPARABLE, assert_right, task

pytestmark = pytest.mark.needs("torch")

STACK = Case("deep", block("separable_stack", in_channels=5, width=8, depth=4), (2, 5, 9, 12))
GRAPH = Case("graph", EVERYTHING, (3, 4, 9, 8), "float64")
READ_TWICE = BlockSpec(
    "read_twice",
    {},
    3,
    (
        Node("first", BatchNorm2d(3)),
        Node("conv", Conv2d(3, 4)),
        Node("norm", BatchNorm2d(4)),
        Node("sum", Add(), ("norm", "conv")),
        Node("act", ReLU()),
        Node("last", BatchNorm2d(4)),
    ),
)


def tuned() -> Backend:
    return as_variant(frameworks.load("torch"), "tuned")


def built(case: Case, params: Arrays | None = None, variant: str = "tuned") -> Any:
    return tuned().build(case.spec, params or randomised(case.spec), dtype=case.dtype, variant=variant)


def test_only_what_a_norm_alone_reads_is_folded() -> None:
    from frameworks.torch.built import foldable

    assert foldable(EVERYTHING) == [("conv", "norm"), ("depthwise", "plain")]
    assert foldable(READ_TWICE) == []


@pytest.mark.parametrize("least", [1, 99])
@pytest.mark.parametrize("spec", [EVERYTHING, READ_TWICE], ids=lambda spec: spec.family)
def test_any_graph_agrees_deep_or_not(spec: BlockSpec, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from frameworks.torch.tuned import cpu

    monkeypatch.setattr(cpu, "DEEP", least)
    monkeypatch.setattr(cpu, "COMPILED", least)
    case = Case("graph", spec, (3, spec.in_channels, 9, 8), "float64")
    results = check(case, tuned())
    assert "trajectory" in {result.level for result in results}
    assert not [result.message for result in results if not result.passed]


def test_inference_follows_whatever_happens_to_the_arrays() -> None:
    import torch

    block, x = built(GRAPH), make("random", GRAPH.input_shape, 0)
    dy = make("random", EVERYTHING.output_shape(GRAPH.input_shape), 1)

    def scaled() -> None:
        with torch.no_grad():
            block.native.get_parameter("conv.weight").data.mul_(1.5)

    seen = [block.forward(x)]
    for change in (
        lambda: block.load(randomised(EVERYTHING, 1)),
        lambda: block.forward_train(x),
        lambda: block.trajectory([(x, dy)], SGD()),
        scaled,
    ):
        change()
        seen.append(block.forward(x))
        wanted = built(GRAPH, block.params(), "reference").forward(x)
        np.testing.assert_allclose(seen[-1], wanted, rtol=1e-10)
        assert np.abs(seen[-1] - seen[-2]).max() > 1e-6, "the arrays are as before"


def test_the_arrays_and_the_trained_names_are_the_unfolded_block_s() -> None:
    params = randomised(SEPARABLE.spec)
    block = built(SEPARABLE)
    block.forward(make("random", SEPARABLE.input_shape, 0))
    assert block.params().keys() == params.keys()
    assert all(np.array_equal(array, params[name]) for name, array in block.params().items())
    assert block.trainable() == {param.name for param in SEPARABLE.spec.params() if param.trainable}


def test_the_layers_that_are_run_are_seen() -> None:
    names = [node.name for node in EVERYTHING.nodes]
    rows = trace(GRAPH, tuned())
    assert not [row for row in rows if row.differs or row.wrong]
    folded = {"conv", "depthwise"}
    assert [row.node for row in rows if row.stage == OUTPUT] == [name for name in names if name not in folded]
    assert [row.node for row in rows if row.stage == TRAINED] == names


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", [SEPARABLE, STACK], ids=lambda case: case.name)
def test_what_is_timed_is_right(case: Case, mode: str) -> None:
    item = task(case, mode)
    for form in ("usual", "eager"):
        for layout in LAYOUTS:
            assert_right(test_timed.built(tuned(), item), item, form, layout)


@pytest.mark.parametrize(("mode", "dtype"), [("forward", "bfloat16"), *((mode, "float64") for mode in MODES)])
def test_what_is_timed_is_right_in_other_dtypes(mode: str, dtype: str) -> None:
    item = task(STACK.cast(dtype), mode)
    assert_right(test_timed.built(tuned(), item), item, "usual", "native")


def test_a_network_is_right() -> None:
    for mode in ("forward", "step"):
        item = task(MOBILENET, mode)
        assert_right(test_timed.built(tuned(), item), item, "usual", "native")


ALONE = Case("alone", block("conv_bn_act", in_channels=3, out_channels=4), (2, 3, 9, 8))


@pytest.mark.parametrize(
    ("case", "mode", "form", "wanted"),
    [
        (STACK, "forward", "usual", True),
        (SEPARABLE, "forward", "compiled", True),
        (STACK, "forward", "eager", False),
        (STACK, "step", "usual", False),
        (ALONE, "forward", "usual", False),
    ],
)
def test_inference_of_two_convolutions_is_compiled(
    case: Case, mode: str, form: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    compiled = []
    monkeypatch.setattr(torch, "compile", lambda run: compiled.append(run) or run)
    x = make("random", case.input_shape, 0)
    dy = make("random", case.spec.output_shape(case.input_shape), 1)
    for layout in LAYOUTS:
        compiled.clear()
        built(case).timed(mode, x, dy, form, layout).call()
        assert len(compiled) == wanted


def test_every_block_is_compiled_for_its_own_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch itself compiles the second block of a class for any shape, and leaves the ninth uncompiled."""
    import torch

    graphs: list[bool] = []

    def backend(graph: Any, inputs: list[Any]) -> Any:
        graphs.append(any(isinstance(item, torch.SymInt) for item in inputs))
        return graph

    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=backend))
    for variant in ("reference", "tuned"):
        graphs.clear()
        for size in range(10, 20):
            x = make("random", (2, 5, 9, size), 0)
            built(STACK, variant=variant).timed("forward", x, form="compiled").call()
        assert graphs == [False] * 10


@pytest.mark.parametrize(("case", "wanted"), [(STACK, True), (SEPARABLE, False)], ids=["deep", "shallow"])
def test_a_deep_block_works_in_channels_last(case: Case, wanted: bool) -> None:
    import torch

    block, inside = built(case), []
    for part in block.native.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.register_forward_hook(lambda _, inputs, output: inside.append(output))
    block.forward_train(make("random", case.input_shape, 0))
    assert inside
    assert {tensor.is_contiguous(memory_format=torch.channels_last) for tensor in inside} == {wanted}


def test_a_device_without_a_form_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from frameworks import torch as backend

    monkeypatch.setattr(backend, "devices", lambda: ("meta", "cpu"))
    params = randomised(SEPARABLE.spec)
    for device in (None, "meta"):
        with pytest.raises(NotAvailable, match=r"^`tuned` of torch has forms for cpu, not for `meta`$"):
            backend.build(SEPARABLE.spec, params, variant="tuned", device=device)
    assert backend.build(SEPARABLE.spec, params, variant="tuned", device="cpu").device == "cpu"
