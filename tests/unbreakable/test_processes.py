"""A worker that runs code of others: whatever that does, the parent gets an answer or one line, in time."""

import os
import pickle
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.names import UnknownName
from common.processes import pool
from common.processes.pool import LIMIT, ROOT, Worker, WorkerFailed, limit

LARGE = np.zeros(2**20)  # more than a socket holds


@pytest.fixture(scope="module")
def started() -> Iterator[Worker]:
    worker = Worker("bad", "bad", threads=1, entry="tests.support.misbehaving")
    yield worker
    worker.stop()


@pytest.fixture
def worker(started: Worker) -> Worker:
    started.timeout, started._deaths = 20, 0
    return started


def gone(pid: int) -> bool:
    """Whether a process has ended, a moment after it was killed."""
    status = Path(f"/proc/{pid}/status")
    for _ in range(100):
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("array", [LARGE, np.arange(6, dtype=np.float32).reshape(2, 3).T, np.zeros((0, 3), bool)])
def test_an_array_comes_back_as_it_was(worker: Worker, array: np.ndarray) -> None:
    answer = worker.ask("echo", array)
    np.testing.assert_array_equal(answer, array, strict=True)
    assert answer.flags.writeable


@pytest.mark.parametrize(
    ("request_", "answer"),
    [("forks", 1), ("raises_in_a_fork", 1)],
)
def test_a_fork_does_not_speak_for_its_parent(worker: Worker, request_: str, answer: object) -> None:
    for _ in range(3):
        assert worker.ask(request_) == answer


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("exits", "SystemExit: 3"),
        ("raises_what_has_no_text", "BadError"),
        ("answers_with_an_object", "TypeError: object is no part of an answer"),
        ("echo", r"TypeError: Session\.echo\(\) missing 1 required"),
    ],
)
def test_what_raises_or_exits_is_one_line_and_the_next_request_is_served(
    worker: Worker, request_: str, message: str
) -> None:
    with pytest.raises(WorkerFailed, match=message) as caught:
        worker.ask(request_)
    assert not caught.value.died
    np.testing.assert_array_equal(worker.ask("echo", LARGE), LARGE)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (["leaves"], "its process ended with status 3; the last it said: nothing"),
        (["crashes"], "its process was killed by SIGSEGV"),
        (["kills"], "its process was killed by SIGKILL"),
        (["closes_and_goes_on"], "it closed the socket of its answers and went on, killed"),
        (["stops"], "no answer in 1 s, killed"),
        (["exits_with_a_thread"], "its process ended with status 1; the last it said: the socket of its answers was c"),
        (["answers_otherwise"], r"what it sent is no answer \(Expected `int`, got `str`\), killed"),
        (["writes", 3, 4096, b"\0\0\0\5hello" + 30 * b" "], "is no answer .something else wrote to its socket.*killed"),
    ],
)
def test_what_cannot_go_on_is_killed_and_started_again(worker: Worker, request_: list[Any], message: str) -> None:
    worker.ask("echo", LARGE)
    worker.timeout = 1 if request_[0] in ("stops", "closes_and_goes_on") else 20
    pid = worker.pid
    with pytest.raises(WorkerFailed, match=message) as caught:
        worker.ask(*request_)
    assert caught.value.died
    assert pid
    assert gone(pid)
    worker.timeout = 20
    np.testing.assert_array_equal(worker.ask("echo", LARGE), LARGE)


def test_writes_to_the_usual_descriptors_do_no_harm(worker: Worker, tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "harm"),)

    pickled = pickle.dumps(Harm())
    assert worker.ask("writes", 1, 64, struct.pack("!i", len(pickled)) + pickled) == "said"
    with pytest.raises(WorkerFailed, match="is no answer"):
        worker.ask("writes", 1, 4096, struct.pack("!16s?Q", worker._id, True, len(pickled)) + pickled)
    assert not (tmp_path / "harm").exists()


def test_an_answer_is_not_written_to_a_file_that_has_the_sockets_number(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed, match="the socket of its answers was closed"):
        worker.ask("closes_and_opens", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b""


def test_a_worker_that_does_not_read_is_killed(worker: Worker) -> None:
    worker.ask("echo", LARGE)
    worker.pause()
    worker.timeout = 1
    with pytest.raises(WorkerFailed, match="no answer in 1 s, killed"):
        worker.post("echo", LARGE)


def test_what_a_worker_has_started_ends_with_it(worker: Worker, tmp_path: Path) -> None:
    others = [*worker.ask("starts_processes"), worker.ask("starts_a_daemon")]
    worker.stop()
    assert all(map(gone, others))
    with pytest.raises(WorkerFailed, match="status 3"):
        worker.ask("starts_and_dies", str(tmp_path / "pid"))
    assert gone(int((tmp_path / "pid").read_text()))


PARENT = """
import os, signal, sys
from common.processes.pool import Worker
worker = Worker("bad", "bad", threads=1, entry="tests.support.misbehaving")
print(*worker.ask("starts_processes"), worker.ask("starts_a_daemon"), flush=True)
print(worker.pid, flush=True)
if sys.argv[1] == "stopped":
    worker.pause()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
@pytest.mark.parametrize("state", ["running", "stopped"])
def test_what_a_worker_has_started_ends_when_the_workers_parent_is_killed(state: str) -> None:
    killed = subprocess.run([sys.executable, "-c", PARENT, state], cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL
    assert len(pids := killed.stdout.split()) == 4
    assert all(gone(int(pid)) for pid in pids)


def test_the_code_of_a_worker_has_only_its_own_children(worker: Worker) -> None:
    assert worker.ask("waits_for_all_children") == 1


def test_what_a_worker_prints_without_end_does_not_fill_the_disk(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "GLANCE", 0.02)
    monkeypatch.setattr(pool, "MOST", 2**20)
    worker.ask("echo", LARGE)
    worker.timeout, output = 1, os.dup(worker._output.fileno())
    with pytest.raises(WorkerFailed, match="no answer in 1 s, killed"):
        worker.ask("prints_without_end")
    assert os.fstat(output).st_size < 2**28
    os.close(output)


def test_a_worker_that_cannot_be_started_is_one_line(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    worker.stop()
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    with pytest.raises(WorkerFailed, match="its process cannot be started: No such file or directory"):
        worker.ask("exits")


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_limit_is_a_number_of_seconds(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "2.5")
    assert limit() == 2.5
    monkeypatch.setenv(LIMIT, text)
    with pytest.raises(UnknownName, match=f"{LIMIT}={text} must be a number of seconds above 0"):
        limit()
