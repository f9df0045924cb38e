"""Records survive the disk, and bad files are refused in one line."""

from pathlib import Path

import pytest

from common.results import (
    NOT_INSTALLED,
    SCHEMA_VERSION,
    CheckResult,
    Measurement,
    ResultsError,
    RunRecord,
    Unavailable,
    dump,
    load,
    write_text,
)

GOOD = CheckResult("conv-a", "conv", "torch", "forward", True, "[conv-a / torch] forward: agrees", "random", 1e-7, 3e-7)


def record() -> RunRecord:
    row = Measurement("conv-a", "conv", "torch", "cpu", 0.1, 0.2, 3, [1.0, 3.0, 2.0], [2.0, 6.0, 4.0], [0, 1, 2])
    return RunRecord({"cpu": "x"}, {"torch": {"torch": "2"}}, "quick", [GOOD], [], [row])


def test_a_record_survives_the_disk(tmp_path: Path) -> None:
    dump(record(), tmp_path / "deep" / "r.json")
    assert load(tmp_path / "deep" / "r.json") == record()


def test_what_is_derived() -> None:
    assert GOOD.margin == pytest.approx(3)
    row = record().measurements[0]
    assert (row.median, row.quartiles, row.threads_used) == (2.0, (1.5, 2.5), 2.0)


def test_when_a_run_is_complete() -> None:
    good = record()
    assert good.complete
    good.unavailable.append(Unavailable("jax", "", NOT_INSTALLED, "not there"))
    assert good.complete
    good.unavailable.append(Unavailable("torch", "conv-b", "check", "killed"))
    assert not good.complete
    bad = record()
    bad.checks.append(CheckResult("conv-a", "conv", "jax", "shape", False, "no"))
    assert not bad.complete


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "is not a results file"),
        ("[]", "schema version None, this is for"),
        ('{"schema_version": 99}', f"schema version 99, this is for {SCHEMA_VERSION}"),
        (f'{{"schema_version": {SCHEMA_VERSION}}}', "is not a results file: Object missing required field"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ResultsError) as caught:
        load(tmp_path / "r.json")
    assert message in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="No such file"):
        load(tmp_path / "r.json")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.txt"
    write_text(path, "old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ResultsError, match=r"cannot write .*r.txt: No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
