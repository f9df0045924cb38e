"""The allowance: not so wide that a wrong block passes, not so narrow that rounding fails."""

import numpy as np
import pytest

from common.check.comparison import compare
from common.check.judge import expect
from common.oracle import reference, rounding
from common.oracle.rounding import ALLOWED, UNIT_ROUNDOFF, allowances
from common.spec import inputs
from common.spec.catalogue import NETWORKS, Case, cases
from common.spec.params import Arrays, randomised
from tests.support.graphs import EVERYTHING, MODERN

SMALL = [case for case in cases() if np.prod(case.input_shape) < 3000 and case.spec.family not in NETWORKS]
FEW = [case for case in SMALL if case.name in ("k3", "small", "r2", "affine_off", "eps_momentum", "g3")]


def single(params: Arrays) -> Arrays:
    return {name: value.astype(np.float32) for name, value in params.items()}


@pytest.mark.parametrize("case", [*SMALL, Case("graph", MODERN, (3, 4, 9, 8))], ids=lambda case: case.id)
def test_three_times_the_rounding_error_of_any_layer_passes(case: Case) -> None:
    """Each layer of the reference in float32, on the float64 activations: three times its error is allowed."""
    params, x = randomised(case.spec), inputs.make("random", case.input_shape)
    values = reference.run(case.spec, params, x)
    allowed = allowances(case.spec, params, values, "float32")
    for node in case.spec.nodes:
        arrays = {name: value.astype(np.float32) for name, value in reference.local(node, params).items()}
        rounded = node.layer.forward(arrays, *(values[name].astype(np.float32) for name in node.inputs))
        assert rounded.dtype == np.float32
        tripled = values[node.name] + 3 * (rounded - values[node.name])
        problem, _, _ = compare(tripled, values[node.name], allowed[node.name])
        assert problem is None, f"{node.name}: {problem}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", FEW, ids=lambda case: case.id)
def test_a_change_of_one_thousandth_in_any_array_fails(case: Case, dtype: str) -> None:
    expected = expect(Case(case.name, case.spec, case.input_shape, dtype), "random")
    params = randomised(case.spec)
    output = case.spec.nodes[-1].name
    for name in params:
        wrong = params | {name: params[name] * np.float32(1.001)}
        y = reference.run(case.spec, wrong, expected.x)[output]
        problem, _, _ = compare(y, expected.y, expected.allowance)
        assert problem, f"{name} of {case.id}"


@pytest.mark.parametrize("case", FEW, ids=lambda case: case.id)
def test_the_allowance_is_never_less_than_a_layers_own_rounding(case: Case) -> None:
    params = randomised(case.spec)
    values = reference.run(case.spec, params, inputs.make("random", case.input_shape))
    allowed = allowances(case.spec, params, values, "float32")
    for node in case.spec.nodes:
        arrays, layer_inputs = reference.local(node, params), [values[name] for name in node.inputs]
        rounding_alone = UNIT_ROUNDOFF["float32"] * node.layer.rounding(arrays, layer_inputs, values[node.name])
        assert (allowed[node.name] >= ALLOWED * rounding_alone).all(), node.name


@pytest.mark.parametrize(("batch", "samples"), [(1, 8), (2, 4), (8, 2)])
def test_a_vector_has_as_many_samples_behind_large_maps_as_elsewhere(
    batch: int, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, x = randomised(EVERYTHING), inputs.make("random", (batch, 4, 9, 8), 0)
    values, runs = reference.run(EVERYTHING, params, x), []
    run = reference.run
    monkeypatch.setattr(rounding, "ELEMENTS", 1)
    monkeypatch.setattr(reference, "run", lambda *arguments: runs.append(1) or run(*arguments))
    allowances(EVERYTHING, params, values, "float32")
    assert len(runs) == samples


def test_the_allowance_shrinks_with_the_unit_roundoff() -> None:
    case = FEW[0]
    ratio = (
        expect(case, "random").allowance / expect(Case("x", case.spec, case.input_shape, "float64"), "random").allowance
    )
    np.testing.assert_allclose(ratio, 2.0**28, rtol=0.3)  # half of 2^29: in float64 the reference rounds as much


@pytest.mark.parametrize(
    ("actual", "problem"),
    [
        ([1.0, 2.0, 3.0], None),
        ([1.0, 2.05, 3.0], None),
        ([1.0, 2.0, 3.3], "greatest abs difference 3.0e-01 at (2,); allowed 1.0e-01 (1 of 3 elements are too far off)"),
        ([np.nan, 2.0, 3.0], "greatest abs difference inf at (0,); allowed 1.0e-01 (1 of 3 elements are too far off)"),
        ([1.0, 2.0], "shape (2,) cannot be compared with (3,)"),
    ],
)
def test_compare_says_where_and_how_much(actual: list[float], problem: str | None) -> None:
    assert compare(np.array(actual), np.array([1.0, 2, 3]), np.full(3, 0.1))[0] == problem


def test_compare_allows_nothing_where_nothing_rounds() -> None:
    right, none = np.array([0.0, 1.0]), np.zeros(2)
    assert compare(right, right, none)[0] is None
    assert compare(right + 1e-30, right, none)[0]
