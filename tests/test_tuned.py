"""A tuned variant is the same function: in every case, at every level, and found by the same check."""

import pytest

from common.check.judge import check, expectations
from common.protocols import Backend, as_variant
from common.results.record import CheckResult
from common.spec.catalogue import Case, cases


def failures(results: list[CheckResult]) -> list[str]:
    return [result.message for result in results if not result.passed]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_every_case_agrees_at_every_level(backend: Backend, case: Case) -> None:
    results = check(case, as_variant(backend, "tuned"), expectations(case))
    assert failures(results) == []
    assert {result.backend for result in results} == {f"{backend.NAME} tuned"}
