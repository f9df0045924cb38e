"""Specs that nobody has written by hand, built from their graphs; and what can be seen inside any block."""

import numpy as np
import pytest

from common.check.comparison import compare
from common.check.judge import check
from common.oracle import reference
from common.oracle.backprop import train
from common.oracle.rounding import allowances
from common.protocols import Backend
from common.spec import BlockSpec, inputs
from common.spec.catalogue import Case, cases
from common.spec.params import randomised
from tests.support.graphs import EVERYTHING, MODERN

GRAPHS = [Case("graph", EVERYTHING, (3, 4, 9, 8)), Case("graph", MODERN, (3, 4, 9, 8), also_in_float64=True)]
IDS = ("depthwise_separable-k3", "ghost_module-r3", "separable_stack-deep")
WRITTEN = [case for case in cases() if case.id in IDS]
WITH_ARRAYS = ("conv", "norm", "depthwise", "pointwise", "linear")


@pytest.mark.parametrize("case", GRAPHS, ids=lambda case: case.id)
def test_a_graph_agrees_at_every_level(backend: Backend, case: Case) -> None:
    failed = [result.message for result in check(case, backend) if not result.passed]
    assert not failed, "\n".join(failed)


def expected_names(spec: BlockSpec) -> set[str]:
    return {node.name for node in spec.nodes if node.name.split(".")[-1] in WITH_ARRAYS} | {spec.nodes[-1].name}


@pytest.mark.parametrize("case", [*GRAPHS, *WRITTEN], ids=lambda case: case.id)
def test_a_trace_sees_what_the_reference_computes(backend: Backend, case: Case) -> None:
    params, x = randomised(case.spec), inputs.make("random", case.input_shape)
    values = reference.run(case.spec, params, x)
    allowed = allowances(case.spec, params, values, "float32")
    seen, cotangents = backend.build(case.spec, params).trace(x)
    assert not cotangents
    last = case.spec.nodes[-1].name
    nodes = {node.name for node in case.spec.nodes}
    # A graph's nodes are all seen; of a block written by hand at least those that hold arrays.
    assert seen.keys() >= (nodes if case in GRAPHS else expected_names(case.spec) - {last})
    for name, output in seen.items():
        assert compare(output, values[name], allowed[name])[0] is None, name


@pytest.mark.parametrize("case", [*GRAPHS, *WRITTEN], ids=lambda case: case.id)
def test_a_trace_sees_the_gradient_of_each_output(backend: Backend, case: Case) -> None:
    params, x = randomised(case.spec), inputs.make("random", case.input_shape)
    dy = inputs.make("random", case.spec.output_shape(case.input_shape), 1)
    exact = train(case.spec, params, x, dy)
    seen, cotangents = backend.build(case.spec, params).trace(x, dy)
    assert seen.keys() == cotangents.keys()
    for name, cotangent in cotangents.items():
        # Float32 is held to its rounding in `gradients`; here it is that each gradient is the one of its own node.
        scale = float(np.abs(exact.cotangents[name]).max())
        np.testing.assert_allclose(cotangent, exact.cotangents[name], rtol=0, atol=1e-4 * scale, err_msg=name)
