"""What the tests of this folder share."""

import pytest

import frameworks
from common.results.measurements import Peaks
from common.spec import catalogue
from report.commands import reporting
from report.runs import timing
from report.runs.runner import Runner


@pytest.fixture
def numpy_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of backends with the one that needs no framework, on a machine whose peak rates are known."""
    monkeypatch.setattr(frameworks, "BACKENDS", {"numpy": frameworks.Row("tests.support.numpy_backend", ("numpy",))})
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)

    def peaks(run: Runner) -> None:
        run.record.peaks = Peaks(1e11, [(1000, 1e10)])

    monkeypatch.setattr(timing, "peaks", peaks)


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of three checks and one timed table."""
    cases = [case for case in catalogue.cases() if case.spec.family == "pointwise_conv"][:1]
    cases += [case for case in catalogue.cases() if case.spec.family == "depthwise_conv"][:2]
    for name, value in (("cases", cases), ("float64_cases", ()), ("published_cases", ())):
        monkeypatch.setattr(catalogue, name, lambda value=value: tuple(value))
    monkeypatch.setattr(catalogue, "timed_cases", lambda profile: tuple(cases[:1]))
    monkeypatch.setitem(reporting.BUDGET, "quick", 0.01)
