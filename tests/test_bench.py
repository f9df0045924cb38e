"""Workers and the schedule: a death or a hang costs its own rows only, and what is timed is right."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.bench.pool import ROOT, Worker, WorkerFailed, settings
from common.bench.schedule import MAX_ROUNDS, MIN_ROUNDS, measure
from common.catalogue import Case, block
from common.check import Expectation, expect

CASE = Case("tiny", block("conv_bn_act", in_channels=3, out_channels=4), (1, 3, 8, 9))
MODULE = "tests.numpy_backend"


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)
    worker = Worker("numpy", MODULE, threads=1, timeout=60)
    yield worker
    worker.stop()


@pytest.fixture
def faulty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker started with a fault in its environment; the next one to start has none."""
    monkeypatch.setenv("CONVPARITY_TEST_FAULT", request.param)
    worker = Worker("faulty", MODULE, threads=1, timeout=5)
    try:
        worker.ask("environment")
    finally:
        monkeypatch.delenv("CONVPARITY_TEST_FAULT")
    yield worker
    worker.stop()


def test_a_worker_has_its_thread_settings_before_the_import(worker: Worker) -> None:
    assert worker.ask("environment") == {
        "numpy": pytest.importorskip("numpy").__version__,
        "threads": "1",
        "devices": "cpu",
    }
    assert set(settings(3).values()) == {"3"}


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not bind processes to processors")
def test_a_worker_has_as_many_processors_as_threads_from_its_first_on(worker: Worker) -> None:
    ours = sorted(os.sched_getaffinity(0))
    for first in range(2):
        worker.stop()
        worker.first = first
        worker.ask("environment")
        assert worker.pid
        assert os.sched_getaffinity(worker.pid) == {ours[first % len(ours)]}


def test_a_request_that_raises_is_answered_and_the_next_is_served(worker: Worker) -> None:
    with pytest.raises(WorkerFailed, match="KeyError: 'nothing'"):
        worker.ask("sample", "nothing", 0, 1)
    assert worker.ask("environment")["devices"] == "cpu"


def test_a_killed_worker_says_so_and_is_started_again_but_not_for_ever(worker: Worker) -> None:
    for _ in range(Worker.MAX_DEATHS):
        worker.ask("environment")
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed, match="killed by SIGKILL"):
            worker.ask("environment")
    with pytest.raises(WorkerFailed, match="given up after 2 deaths"):
        worker.ask("environment")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_parent_that_is_killed_takes_its_workers_with_it() -> None:
    """Even one that is paused, and so could not read that its pipe has closed."""
    code = f"""
import os, signal
from common.bench.pool import Worker
worker = Worker("numpy", {MODULE!r}, threads=1)
worker.ask("environment")
worker.pause()
print(worker.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    process = Path(f"/proc/{int(ended.stdout)}")
    for _ in range(100):
        if not process.exists() or "State:\tZ" in (process / "status").read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"worker {process.name} is still there")


def test_a_worker_does_not_import_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "numpy.py").write_text("raise RuntimeError('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    worker = Worker("numpy", MODULE, threads=1)
    try:
        assert worker.ask("environment")["devices"] == "cpu"
    finally:
        worker.stop()


def test_a_module_that_cannot_be_imported_is_one_line() -> None:
    worker = Worker("none", "tests.no_such_module", threads=1)
    try:
        with pytest.raises(WorkerFailed, match=r"ModuleNotFoundError: No module named 'tests\.no_such_module'"):
            worker.ask("environment")
    finally:
        worker.stop()


def test_measurements_keep_their_raw_samples(worker: Worker) -> None:
    (row,), lost = measure(CASE, [worker], budget=0.5)
    assert not lost
    assert (row.case, row.block, row.backend, row.device) == (CASE.id, "conv_bn_act", "numpy", "cpu")
    assert MIN_ROUNDS <= len(row.seconds) == len(row.cpu_seconds) <= MAX_ROUNDS
    assert row.rounds == list(range(len(row.seconds)))
    assert min(row.seconds) > 0
    assert row.quartiles[0] <= row.median <= row.quartiles[1]
    assert row.calls_per_sample > 1  # a call of well under a millisecond is repeated


@pytest.mark.parametrize(
    ("faulty", "stage", "reason"),
    [
        ("raise", "build", "ValueError: no such layer"),
        ("offset", "build", "not timed, because its output is wrong: greatest abs difference"),
        ("kill", "build", "killed by SIGKILL"),
        ("hang", "build", "no answer in 5 s, killed"),
    ],
    indirect=["faulty"],
)
def test_a_fault_costs_its_own_row_only(faulty: Worker, worker: Worker, stage: str, reason: str) -> None:
    rows, (lost,) = measure(CASE, [faulty, worker], budget=0.5)
    assert [row.backend for row in rows] == ["numpy"]
    assert len(rows[0].seconds) >= MIN_ROUNDS
    assert (lost.backend, lost.case, lost.stage) == ("faulty", CASE.id, stage)
    assert reason in lost.reason


def test_a_worker_killed_between_rounds_loses_its_row_only(worker: Worker) -> None:
    victim = Worker("victim", MODULE, threads=1, timeout=60)

    def kill_in_round_3(text: str) -> None:
        if "round 3 " in text:
            assert victim.pid
            os.kill(victim.pid, signal.SIGKILL)

    try:
        rows, (lost,) = measure(CASE, [victim, worker], 0.5, kill_in_round_3)
    finally:
        victim.stop()
    assert [row.backend for row in rows] == ["numpy"]
    assert len(rows[0].seconds) >= MIN_ROUNDS
    assert (lost.backend, lost.stage) == ("victim", "timing")
    assert "killed by SIGKILL" in lost.reason


def test_workers_check_with_the_parents_expectation(worker: Worker) -> None:
    results = worker.ask("check", CASE, Expectation((expect(CASE, "random"),)))
    assert [result.level for result in results] == ["builds", "shape", "parameters", "forward"]
    assert all(result.passed for result in results)
