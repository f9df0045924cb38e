"""Whatever happens to a worker of a command costs its own rows: nothing hangs, and no process is left."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import frameworks
from common.faults import cases as faults
from common.faults.mistakes import FAULTS
from common.oracle import digits
from common.processes import family
from common.processes.pool import LIMIT, Worker
from common.results import training
from common.results.record import load
from report import rendering
from report.runs import training as runs
from report.sections import training_figure
from tests.test_cli import status

REASONS = {
    "kills": "its process was killed by SIGKILL",
    "stops": "no answer in 0.7 s, killed",
    "exits": "SystemExit: 3",
    "leaves": "its process ended with status 3; the last it said: nothing",
    "closes": "it closed the socket of its answers and went on, killed",
}
SWEEP = """
budget: 0.01
processes: 1
blocks: [{block: pointwise_conv, options: {in_channels: 2, out_channels: 3}, input: [1, 2, 4, 4]}]
configs: [{backend: [numpy, stops, kills, exits, closes]}]
"""
FAULTY = ("stops", "kills", "exits", "closes")  # by a signal or two, by itself, and in silence
OPTIONS = ["--block", "pointwise_conv", "--set", "in_channels=2", "--set", "out_channels=3"]


@pytest.fixture
def faulty(numpy_only: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Backends that are called by what goes wrong when they build; those that wait have less than a second."""
    start, post = Worker._start, Worker.post

    def started(worker: Worker) -> object:
        with monkeypatch.context() as patch:
            patch.setenv("CONVPARITY_TEST_FAULT", worker.name if worker.name in REASONS else "")
            return start(worker)

    def hasty(worker: Worker, request: str, *arguments: Any) -> None:
        worker.timeout = 0.7 if worker.name in ("stops", "closes") and request != "environment" else 60
        post(worker, request, *arguments)

    monkeypatch.setattr(Worker, "_start", started)
    monkeypatch.setattr(Worker, "post", hasty)
    monkeypatch.setattr(rendering, "HERE", tmp_path)
    monkeypatch.chdir(tmp_path)


def backends(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setitem(frameworks.BACKENDS, name, frameworks.BACKENDS["numpy"])


@pytest.fixture(autouse=True)
def no_orphan() -> Iterator[None]:
    """No process is left of a test; the workers that other tests keep are not its own."""
    before = family.members(-1, {os.getpid()})
    yield
    assert not family.members(-1, {os.getpid()}) - before


@pytest.mark.usefixtures("faulty")
def test_what_happens_to_a_worker_costs_its_own_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    backends(monkeypatch, *REASONS)
    assert status("check", "-k", "pointwise_conv-bias", "--json", "r.json") == 1
    printed = capsys.readouterr()
    assert "agrees 1/1" in printed.out
    for name, reason in REASONS.items():
        assert f"not available: {name} pointwise_conv-bias check: {reason}\n" in printed.err
    assert {row.backend for row in load(Path("r.json")).checks} == {"numpy"}


@pytest.mark.parametrize(
    ("arguments", "stage"),
    [
        (["bench", "-k", "pointwise_conv", "--threads", "1", "--json", "r.json"], "build"),
        (["sweep", "s.yaml", "--threads", "1", "--json", "r.json"], "build"),
        (["report", "--threads", "1", "--output", "."], "check"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("brief", "faulty")
def test_a_command_goes_on_without_a_worker(
    arguments: list[str], stage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    backends(monkeypatch, *FAULTY)
    Path("s.yaml").write_text(SWEEP)
    assert status(*arguments) == 1
    printed = capsys.readouterr()
    for name in FAULTY:
        assert any(f"not available: {name} " in line and REASONS[name] in line for line in printed.err.splitlines())
    record = load(Path("results.json" if arguments[0] == "report" else "r.json"))
    assert {row.backend for row in record.measurements} == {"numpy"}
    lost = {item.backend: item.died for item in record.unavailable if item.stage == stage}
    assert lost == {"stops": True, "kills": True, "exits": False, "closes": True}


@pytest.mark.usefixtures("faulty")
def test_selftest_goes_on_without_a_worker(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    backends(monkeypatch, *FAULTY)
    monkeypatch.setattr(faults, "CASES", faults.CASES[:1])
    assert status("selftest", "-k", FAULTS[0].id) == 1
    printed = capsys.readouterr().err
    for name in FAULTY:
        assert f"not available: {name} {faults.CASES[0].id} check: {REASONS[name]}" in printed
    assert "numpy agree" in printed


@pytest.mark.usefixtures("faulty")
def test_train_goes_on_without_a_worker(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    backends(monkeypatch, *FAULTY)
    monkeypatch.setattr(runs, "COMPARED", 2)
    whole = digits.batches
    monkeypatch.setattr(digits, "batches", lambda data, epochs, seed: whole(data, epochs, seed)[:2])
    monkeypatch.setattr(training_figure, "draw", lambda record, path: path.touch())
    assert status("train", "--seeds", "1", "--epochs", "1", "--output", ".") == 1
    printed = capsys.readouterr().err
    assert all(REASONS[name] in printed for name in FAULTY)
    assert {fit.backend for fit in training.load(Path("training.json")).fits} == {"numpy"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "no answer in 4 s, killed"),
        ("import os; os.abort()", "its process was killed by SIGABRT; the last it said: nothing"),
        ("import os; os.kill(os.getpid(), 9)", "its process was killed by SIGKILL"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os, time; os.closerange(3, 4096); time.sleep(60)", "it closed the socket of its answers and went on"),
    ],
    ids=["stops", "aborts", "kills", "exits", "closes"],
)
@pytest.mark.parametrize("command", ["port", "compare"])
def test_a_framework_that_cannot_be_imported_is_one_line(
    command: str,
    code: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(LIMIT, "4" if "4 s" in reason or "socket" in reason else "60")
    monkeypatch.setattr(frameworks, "missing", lambda name: None)
    Path("torch.py").write_text(code)
    Path("w.pt").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    target = "convparity.torch:pointwise_conv(in_channels=2,out_channels=3)"
    arguments = {
        "compare": [target, target, "--input", "1x2x4x4"],
        "port": ["w.pt", "--from", "torch", "--to", "torch", *OPTIONS, "-o", "o.pt"],
    }
    assert status(command, *arguments[command]) == 2
    name = target if command == "compare" else "nothing was ported from torch to torch"
    assert capsys.readouterr().err.startswith(f"convparity: {name}: {reason}")
    assert {path.name for path in tmp_path.iterdir()} == {"torch.py", "w.pt"}
