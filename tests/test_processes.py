"""Worker processes: their settings, their answers, their deaths."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.processes.pool import ROOT, Worker, WorkerFailed
from common.processes.settings import settings

MODULE = "tests.support.numpy_backend"


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)
    worker = Worker("numpy", MODULE, threads=1, timeout=60)
    yield worker
    worker.stop()


def test_a_worker_has_its_thread_settings_before_the_import(worker: Worker) -> None:
    assert worker.ask("environment") == {
        "numpy": pytest.importorskip("numpy").__version__,
        "threads": "1",
        "devices": "cpu, fake",
    }
    assert set(settings(3).values()) == {"3"}
    assert settings(None) == {}
    assert settings(None, allocator="tuned")["MALLOC_MMAP_MAX_"] == "0"


def test_a_worker_whose_threads_are_left_to_it_inherits_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    worker = Worker("numpy", MODULE, threads=None)
    try:
        assert worker.ask("environment")["threads"] == "unset"
    finally:
        worker.stop()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not bind processes to processors")
def test_a_worker_has_as_many_processors_as_threads_from_its_first_on(worker: Worker) -> None:
    processors = sorted(os.sched_getaffinity(0))
    for first in range(2):
        worker.stop()
        worker.first = first
        worker.ask("environment")
        assert worker.pid
        assert os.sched_getaffinity(worker.pid) == {processors[first % len(processors)]}


def test_a_request_that_raises_is_answered_and_the_next_is_served(worker: Worker) -> None:
    with pytest.raises(WorkerFailed, match="ValueError: nothing was prepared"):
        worker.ask("sample", 0, 1)
    assert worker.ask("environment")["devices"] == "cpu, fake"


def test_a_killed_worker_says_so_and_is_started_again_but_not_for_ever(worker: Worker) -> None:
    for _ in range(Worker.MAX_DEATHS):
        worker.ask("environment")
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed, match="killed by SIGKILL"):
            worker.ask("environment")
    with pytest.raises(WorkerFailed, match="given up after 2 deaths") as caught:
        worker.ask("environment")
    assert caught.value.died


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_parent_that_is_killed_takes_its_workers_with_it() -> None:
    """Also a worker that is paused, which cannot read that its pipe has closed."""
    code = f"""
import os, signal
from common.processes.pool import Worker
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
        assert worker.ask("environment")["devices"] == "cpu, fake"
    finally:
        worker.stop()


def test_a_module_that_cannot_be_imported_is_one_line() -> None:
    worker = Worker("none", "tests.no_such_module", threads=1)
    try:
        with pytest.raises(WorkerFailed, match=r"ModuleNotFoundError: No module named 'tests\.no_such_module'"):
            worker.ask("environment")
    finally:
        worker.stop()
