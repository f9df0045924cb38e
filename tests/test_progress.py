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
        now = 102.0
        steps.step("first")
        now = 108.0
        steps.step("second")
        now = 300.0
        steps.step("third")
    assert capsys.readouterr().err.splitlines() == [
        "[  1/3] first; about 3 min left",
        "[  2/3] second; about 3 min left",
        "[  3/3] third",
    ]
