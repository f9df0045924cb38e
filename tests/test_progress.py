"""What is said of the time that is left."""

import pytest

from report.runs import progress
from report.runs.progress import Progress


def test_the_time_left_follows_the_work_that_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with Progress([1.0, 3.0, 96.0]) as steps:
        now = 200.0  # the processes have started
        steps.begin()
        now = 202.0
        steps.step("first")
        now = 208.0
        steps.step("second")
        now = 400.0
        steps.step("third")
    assert capsys.readouterr().err.splitlines() == [
        "[  1/3] first; about 3 min left",
        "[  2/3] second; about 3 min left",
        "[  3/3] third",
    ]
