"""bench, sweep and diff as a user types them, on a backend without a framework: what is finished is never lost."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

import frameworks
from common.results import measurements
from common.results.record import RunRecord, dump, load
from common.results.writing import ResultsError
from report.cli import main
from report.runs import resuming, timing

SWEEP = """
title: Two sizes
about: Of one block.
budget: 0.1
processes: 1
memory: true
blocks:
  - {block: pointwise_conv, options: {in_channels: 3, out_channels: 4}, input: [1, 3, 5, 6]}
vary: {batch: [1, 2]}
configs:
  - {backend: numpy}
  - {backend: numpy, allocator: tuned}
"""


def status(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


@pytest.fixture(autouse=True)
def numpy_only(peaks_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "BACKENDS", {"numpy": frameworks.Row("tests.support.numpy_backend", ("numpy",))})
    monkeypatch.setattr(measurements, "OTHERS", 2.0)  # whatever else runs on the machine that tests run on
    monkeypatch.setattr(measurements, "LATE", math.inf)


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    file = tmp_path / "two.yaml"
    file.write_text(SWEEP)
    return file


@pytest.fixture
def run(sweep: Path) -> Callable[[], Any]:
    return lambda: status("sweep", str(sweep), "--threads", "1")


def measured(sweep: Path) -> list[tuple[str, str]]:
    return [(row.case, row.config.label) for row in load(sweep.with_suffix(".json")).measurements]


CASES = [f"pointwise_conv-c3_4-{batch}x3x5x6" for batch in (1, 2)]
ALL = [(case, label) for case in CASES for label in ("numpy", "numpy tuned allocator")]


def test_a_sweep_is_run_once(sweep: Path, run: Callable[[], Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert measured(sweep) == ALL
    record = load(sweep.with_suffix(".json"))
    assert (record.title, record.about) == ("Two sizes", "Of one block.")
    assert [use.config.label for use in record.memory] == [label for _, label in ALL]
    assert list(record.timed_seconds) == CASES
    assert record.peaks
    assert "2 tables, about 0 minutes" in capsys.readouterr().out
    before = sweep.with_suffix(".json").read_bytes()
    assert run() == 0
    assert "has 2 of 2 tables already" in capsys.readouterr().out
    assert msgspec.json.decode(sweep.with_suffix(".json").read_bytes()) | {"seconds": 0} == msgspec.json.decode(
        before
    ) | {"seconds": 0}


def test_a_plan_runs_nothing(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("sweep", str(sweep), "--plan") == 0
    assert "2 tables" in capsys.readouterr().out
    assert not sweep.with_suffix(".json").exists()


def test_an_interrupted_sweep_goes_on_where_it_was(
    sweep: Path, run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = timing.measure, []

    def measure(*arguments: Any) -> Any:
        calls.append(arguments[0].title)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(timing, "measure", measure)
    assert run() == 130
    assert "has what is finished; the same command continues from there" in capsys.readouterr().err
    assert measured(sweep) == ALL[:2]
    assert run() == 0
    assert calls == [CASES[0], CASES[1], CASES[1]]
    assert measured(sweep) == ALL


def test_what_died_is_said_and_tried_again(
    sweep: Path, run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONVPARITY_TEST_FAULT", "kill")
    assert run() == 1
    assert "not available: numpy pointwise_conv-c3_4-1x3x5x6 build: its process was killed" in capsys.readouterr().err
    assert not measured(sweep)
    monkeypatch.delenv("CONVPARITY_TEST_FAULT")
    assert run() == 0
    assert measured(sweep) == ALL
    assert not load(sweep.with_suffix(".json")).unavailable


def test_what_raised_is_not_tried_again(
    run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONVPARITY_TEST_FAULT", "offset")
    assert run() == 1
    assert "not timed, because it is wrong" in capsys.readouterr().err
    monkeypatch.delenv("CONVPARITY_TEST_FAULT")
    assert run() == 1
    assert "has 2 of 2 tables already" in capsys.readouterr().out


def test_a_full_disk_loses_nothing_that_is_finished(
    sweep: Path, run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def full(record: RunRecord, path: Path) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise ResultsError(f"cannot write {path}: No space left on device")
        dump(record, path)

    monkeypatch.setattr(resuming, "dump", full)
    assert run() == 0
    assert "No space left on device; it will be tried again after the next case" in capsys.readouterr().err
    assert measured(sweep) == ALL  # by the last attempt


def test_a_results_file_that_cannot_be_written_is_refused_before_the_work(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("sweep", str(sweep), "--json", "/dev/null/x.json") == 2
    assert "cannot write /dev/null/x.json" in capsys.readouterr().err


def test_a_file_of_another_run_is_refused(
    sweep: Path, run: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    path = sweep.with_suffix(".json")
    record = load(path)
    dump(replace(record, environment={**record.environment, "cpu": "another"}), path)
    assert run() == 2
    assert "is of a run with cpu `another`, this one has" in capsys.readouterr().err


def test_bench_against_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["-k", "pointwise", "--threads", "1", "--aa", "--json", str(tmp_path / "aa.json")]
    assert status("bench", *arguments) == 0
    assert "of 1 intervals contain 1" in capsys.readouterr().out
    rows = load(tmp_path / "aa.json").measurements
    assert [(row.config.label, len(row.processes)) for row in rows] == [("numpy", 3), ("numpy again", 3)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bench", "--mode", "backward"], "unknown mode `backward`; choose from forward, gradients, step"),
        (["bench", "--form", "jit"], "unknown form `jit`; choose from usual, eager, compiled"),
        (["bench", "-b", "tensorrt"], "unknown backend `tensorrt`; choose from numpy, onnxruntime, openvino"),
        (["sweep", "/no/such.yaml"], "cannot read /no/such.yaml: No such file or directory"),
        (["diff", "/no/a.json", "/no/b.json"], "cannot read /no/a.json: No such file or directory"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.err == f"convparity: {message}\n"
    assert not printed.out


def test_diff_of_two_runs(
    sweep: Path, run: Callable[[], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep.write_text(SWEEP.replace("processes: 1", "processes: 2"))  # of one, nothing would be known
    assert run() == 0
    old, new = sweep.with_suffix(".json"), tmp_path / "new.json"
    capsys.readouterr()
    assert status("diff", str(old), str(old)) == 0
    assert "0 regressions, 0 improvements, 4 ties" in capsys.readouterr().out
    record = load(old)
    for row in record.measurements[:1]:
        for process in row.processes:
            process.seconds[:] = [1000 * seconds for seconds in process.seconds]
    dump(record, new)
    assert status("diff", str(old), str(new)) == 1
    assert "1 regression, 0 improvements, 3 ties" in capsys.readouterr().out
    assert status("diff", str(new), str(old)) == 0
    dump(replace(record, environment={**record.environment, "cpu": "another"}), new)
    assert status("diff", str(old), str(new)) == 2
    assert "are not from one machine and setting (cpu differ)" in capsys.readouterr().err
    assert status("diff", str(old), str(new), "--across-machines") == 1
