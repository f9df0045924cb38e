"""No case that is trained has an allowance in which a mistake could hide: in float32, or else in float64."""

import pytest

from common.check import training
from common.check.comparison import Values, compare_all
from common.check.judge import check, expectations
from common.check.training import Training
from common.spec.catalogue import Case, cases, float64_cases
from common.spec.params import Arrays, randomised
from tests.support import numpy_backend

VAGUE = [case for case in cases() if case.also_in_float64]
JUDGED = [case for case in (*cases(), *float64_cases()) if case.trained and not case.also_in_float64]


def trained(case: Case) -> Training:
    found = expectations(case).training
    assert found is not None
    return found


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case.id)
def test_no_array_of_a_trained_case_hides_a_mistake(case: Case) -> None:
    assert not list(training.hidden(case, trained(case)))


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case.id)
def test_a_gradient_of_the_other_sign_and_an_update_left_out_fail(case: Case) -> None:
    before: Arrays = {}
    for level, what, values in training.expected(trained(case)):
        if level == "gradients":
            missed = unseen(values, {name: -exact for name, exact in values.exact.items()})
            assert all(name.endswith(".bias") for name in missed)  # before a norm, where it is zero
        if level == "trajectory":
            start = randomised(case.spec, case.seed) if what.endswith("step 1") else before
            stepped = {name for name in values.exact if name.rpartition(".")[2] in ("weight", "running_mean")}
            assert not stepped & unseen(values, {name: start[name] for name in values.exact}), what
        before = values.exact


def unseen(values: Values, wrong: Arrays) -> set[str]:
    """The arrays that would pass."""
    return values.exact.keys() - set(compare_all(wrong, values)[1])


def test_a_case_that_hides_mistakes_fails_and_is_checked_in_float64() -> None:
    assert VAGUE
    assert [case.spec for case in VAGUE] == [case.spec for case in float64_cases()]
    for case in VAGUE:
        lone = Case(case.name, case.spec, case.input_shape, seed=case.seed)
        hidden = {level for level, *_ in training.hidden(lone, trained(lone))}
        assert "trajectory" in hidden <= {"gradients", "trajectory"}
        failed = [result for result in check(lone, numpy_backend) if not result.passed]
        assert {result.level for result in failed} == {"case"}
        first = "gradients" if "gradients" in hidden else "trajectory ("
        assert failed[0].message.startswith(f"[{case.id} / numpy] case: in {first}")
        assert " rounding can hide a mistake of 1 % in " in failed[0].message
