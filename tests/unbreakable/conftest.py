"""What the tests of this folder share."""

import pytest

import frameworks
from common.results.measurements import Peaks
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
