"""The layer at which a failure begins, and allowances that neither refuse rounding nor let a thousandth pass."""

from dataclasses import replace

import numpy as np
import pytest

from common.check import training
from common.check.comparison import Values, compare_all
from common.check.divergence import GRADIENT, OUTPUT, TRAINED, first, told, trace
from common.check.judge import expectations
from common.faults.cases import CASES, SEPARABLE
from common.faults.injection import Fault, Faulty, run
from common.faults.mistakes import FAULTS
from common.faults.rewrites import changed
from common.layers import BatchNorm2d, LeakyReLU
from common.layers.base import Gradients
from common.oracle.backprop import Exact, train, without_dropout
from common.oracle.training_rounding import one_pass
from common.results.record import LayerRow
from common.spec import Node
from common.spec.catalogue import NETWORKS, Case, cases
from common.spec.params import Arrays, randomised
from tests.support import numpy_backend
from tests.support.graphs import EVERYTHING, MODERN

SMALL = [case for case in cases() if np.prod(case.input_shape) < 3000 and case.spec.family not in NETWORKS]
NARROW = [case for case in SMALL if case.name != "c3"]  # the stacks at full width take a minute
FEW = [case for case in SMALL if case.name in ("k3", "small", "r2", "affine_off", "eps_momentum", "g3")]
GRAPHS = [Case("graph", graph, (3, 4, 9, 8)) for graph in (EVERYTHING, MODERN)]
ORDER = [node.name for node in SEPARABLE.spec.nodes]


def faulty(name: str) -> Faulty:
    return Faulty(numpy_backend, next(fault for fault in FAULTS if fault.id == name))


def rows_of(name: str, stage: str) -> dict[str, LayerRow]:
    return {row.node: row for row in trace(SEPARABLE, faulty(name)) if row.stage == stage}


def test_a_wrong_layer_is_told_from_those_that_hand_its_error_on() -> None:
    rows = rows_of("norm eps", OUTPUT)
    assert list(rows) == ORDER
    assert [name for name, row in rows.items() if row.differs] == ORDER[1:]
    assert [name for name, row in rows.items() if row.wrong] == ["depthwise.norm"]


def test_a_wrong_gradient_is_found_walking_back() -> None:
    rows = trace(SEPARABLE, faulty("slope"))
    gradients = {row.node: row for row in rows if row.stage == GRADIENT}
    assert list(gradients) == ORDER[::-1]
    row = first(rows, GRADIENT)
    assert row is not None
    assert told(row) == "begins at `pointwise.act` (LeakyReLU), which is itself wrong"


def test_errors_that_add_up_are_no_layers_fault() -> None:
    row = LayerRow("x", "Conv2d", OUTPUT, 2.0, 1.0, 0.5, 1.0)
    assert first([row], OUTPUT) is row
    assert first([row], TRAINED) is None
    assert told(row).endswith("by itself errs no more than is allowed: errors have added up")


def test_a_layer_of_another_shape_is_where_it_begins() -> None:
    row = first(trace(FAULTS_BY_ID["stride forgotten"].case, faulty("stride forgotten"), training=False), OUTPUT)
    assert row is not None
    assert (row.node, row.error, row.wrong) == ("down", None, True)


FAULTS_BY_ID = {fault.id: fault for fault in FAULTS}


def single(arrays: list[np.ndarray]) -> list[np.ndarray]:
    return [array.astype(np.float32) for array in arrays]


class Tripled(Exact):
    """One layer computed in float32, forward and backward, and its error tripled."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _tripled(self, exact: np.ndarray, rounded: np.ndarray) -> np.ndarray:
        return exact + 3 * (rounded.astype(np.float32) - exact)

    def gradients(
        self, node: Node, params: Arrays, inputs: list[np.ndarray], dy: np.ndarray, exact: Gradients
    ) -> Gradients:
        if node.name != self._name:
            return exact
        arrays = dict(zip(params, single(list(params.values())), strict=True))
        y = node.layer.forward(arrays, *single(inputs))
        by_input, by_name = node.layer.backward(arrays, single(inputs), y, *single([dy]))
        return (
            [self._tripled(*pair) for pair in zip(exact[0], by_input, strict=True)],
            {leaf: self._tripled(exact[1][leaf], gradient) for leaf, gradient in by_name.items()},
        )


@pytest.mark.parametrize("case", [*NARROW, *GRAPHS], ids=lambda case: case.id)
def test_three_times_the_rounding_error_of_any_layers_gradients_passes(case: Case) -> None:
    spec, params = without_dropout(case.spec), randomised(case.spec)
    x, dy = training.batches(case)[0]
    right = Values(*one_pass(spec, params, x, dy, "float32"))
    for node in spec.nodes:
        step = train(spec, params, x, dy, Tripled(node.name))
        output = {"output": step.values[spec.nodes[-1].name]}
        compared, _ = compare_all(output | step.gradients, right)
        assert compared.problem is None, f"{node.name}: {compared.problem}"


def thousandth(case: Case, name: str, index: int) -> Fault:
    """One element of one array off by a thousandth, in a way that reading the arrays back does not show."""

    def scaled(arrays: Arrays, factor: float) -> Arrays:
        if name not in arrays:
            return arrays
        array = arrays[name].astype(np.float64)
        array.flat[index] *= factor
        return arrays | {name: array}

    def stored(arrays: Arrays) -> Arrays:
        return scaled(arrays, 1.001)

    def returned(arrays: Arrays) -> Arrays:
        right = randomised(case.spec, case.seed)
        return {n: right[n].astype(array.dtype) if n == name else array for n, array in arrays.items()}

    return Fault(f"{name}[{index}]", "", case, "forward", "", stored=stored, returned=returned)


@pytest.mark.parametrize("case", FEW, ids=lambda case: case.id)
def test_one_element_off_by_a_thousandth_fails_in_float64(case: Case) -> None:
    case = case.cast("float64")
    expected = replace(expectations(case), training=None)
    for param in case.spec.params():
        for index in np.random.default_rng(0).choice(param.size, min(param.size, 6), replace=False):
            fault = thousandth(case, param.name, index)
            assert run(fault, numpy_backend, expected).level == "forward", fault.id


@pytest.mark.parametrize("case", [*FEW, *CASES], ids=lambda case: case.id)
def test_a_setting_off_by_a_thousandth_fails_in_float64(case: Case) -> None:
    case = case.cast("float64")
    settings = {"eps": "forward", "momentum": "buffers", "negative_slope": "forward"}
    for node in case.spec.nodes:
        for field, level in settings.items():
            if isinstance(node.layer, (BatchNorm2d, LeakyReLU)) and getattr(node.layer, field, 0.0):
                wrong = changed(node.name, **{field: 1.001 * getattr(node.layer, field)})
                fault = Fault(f"{node.name} {field}", "", case, level, node.name, wrong)
                result = run(fault, numpy_backend, expectations(case))
                assert result.caught, f"{fault.id}: {result.message}"
