"""The schedule of a measurement: a death or a hang costs its own rows only, and what is timed is right."""

import os
import signal
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from common.bench.roof import COPIES, bound
from common.bench.roof import work as work_of
from common.bench.schedule import MAX_ROUNDS, MIN_ROUNDS, measure
from common.check.judge import Expectation, expect
from common.config import Config
from common.processes.machine import peak_of
from common.processes.others import around
from common.processes.pool import Worker
from common.results.measurements import Measurement, Peaks
from common.results.record import Unavailable
from common.session.tasks import Experiment, Task, task
from common.spec.catalogue import Case, block
from report.runs.runner import costed

CASE = Case("tiny", block("conv_bn_act", in_channels=3, out_channels=4), (1, 3, 8, 9))
MODULE = "tests.support.numpy_backend"


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


@pytest.fixture(scope="module")
def work() -> Task:
    return task(CASE, "forward")


def timed(
    work: Task, *workers: Worker, say: Callable[[str], None] = lambda text: None
) -> tuple[list[Measurement], list[Unavailable]]:
    experiment = Experiment(CASE, "forward", tuple(Config(name) for name in dict.fromkeys(w.name for w in workers)))
    return measure(experiment, work, [(Config(worker.name), worker) for worker in workers], 0.5, say)


def test_measurements_keep_their_raw_samples(worker: Worker, work: Task) -> None:
    (row,), lost = timed(work, worker)
    assert not lost
    assert (row.key, row.block) == ((CASE.id, "forward", "float32", Config("numpy")), "conv_bn_act")
    (process,) = row.processes
    assert MIN_ROUNDS <= len(process.seconds) <= MAX_ROUNDS
    assert process.rounds == list(range(len(process.seconds)))
    assert len(process.cpu_seconds) == len(process.stolen) == len(process.clock) == len(process.seconds)
    assert process.processors == 1  # as it has one thread
    if around(0.01).others is not None:
        assert len(process.others) == len(process.waited) == len(process.seconds)
    assert min(process.seconds) > 0
    assert min(process.clock) > 0
    assert min(process.stolen) >= 0
    assert row.quartiles[0] <= row.median <= row.quartiles[1]
    assert process.calls > 1  # a call of well under a millisecond is repeated


def test_twins_take_their_own_turns(worker: Worker, work: Task) -> None:
    twin = Worker("numpy", MODULE, threads=1, timeout=60)
    try:
        (row,), lost = timed(work, worker, twin)
    finally:
        twin.stop()
    assert not lost
    one, other = row.processes
    assert one.rounds == other.rounds
    assert one.seconds != other.seconds


@pytest.mark.parametrize("mode", ["gradients", "step"])
def test_training_is_timed_and_checked(worker: Worker, mode: str) -> None:
    experiment = Experiment(CASE, mode, (Config("numpy"),))
    (row,), lost = measure(experiment, task(CASE, mode), [(Config("numpy"), worker)], 0.1)
    assert not lost
    assert row.mode == mode


@pytest.mark.parametrize(
    ("faulty", "stage", "reason", "died"),
    [
        ("raise", "build", "ValueError: no such layer", False),
        ("offset", "build", "not timed, because it is wrong: of output: greatest abs difference", False),
        ("decays", "after timing", "was right before it was timed and wrong after: of output", False),
        ("kill", "build", "killed by SIGKILL", True),
        ("hang", "build", "no answer in 5 s, killed", True),
    ],
    indirect=["faulty"],
)
def test_a_fault_costs_its_own_row_only(
    faulty: Worker, worker: Worker, work: Task, stage: str, reason: str, died: bool
) -> None:
    rows, (lost,) = timed(work, faulty, worker)
    assert [row.backend for row in rows] == ["numpy"]
    assert len(rows[0].seconds) >= MIN_ROUNDS
    assert (lost.backend, lost.case, lost.stage, lost.died) == ("faulty", CASE.id, stage, died)
    assert reason in lost.reason


def test_a_worker_killed_between_rounds_loses_its_row_only(worker: Worker, work: Task) -> None:
    victim = Worker("victim", MODULE, threads=1, timeout=60)

    def kill_in_round_3(text: str) -> None:
        if "round 3 " in text:
            assert victim.pid
            os.kill(victim.pid, signal.SIGKILL)

    try:
        rows, (lost,) = timed(work, victim, worker, say=kill_in_round_3)
    finally:
        victim.stop()
    assert [row.backend for row in rows] == ["numpy"]
    assert len(rows[0].seconds) >= MIN_ROUNDS
    assert (lost.backend, lost.stage, lost.died) == ("victim", "timing", True)
    assert "killed by SIGKILL" in lost.reason


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its peak memory")
def test_the_memory_of_a_call_is_what_it_adds_to_its_process() -> None:
    def call() -> None:
        np.ones(2**22)  # 32 MiB

    assert abs(peak_of(call) - 2**25) < 2**20  # Linux counts pages in batches


def test_what_the_machine_does_at_best() -> None:
    machine = Worker("machine", "numpy", threads=1, entry="common.bench.roof")
    try:
        peaks = machine.ask("peaks")
    finally:
        machine.stop()
    assert peaks.flops > 0
    assert peaks.millisecond >= 1e-3
    assert [size for size, _ in peaks.copy] == list(COPIES)
    assert peaks.bandwidth(1) == peaks.copy[0][1]
    assert peaks.bandwidth(2**40) == peaks.copy[-1][1]


def test_the_bound_is_of_arithmetic_or_of_traffic() -> None:
    cost = costed(Case("x", block("standard_conv", in_channels=4, out_channels=8, bias=False), (1, 4, 10, 12)))
    flops, traffic = 2 * 8 * 4 * 9 * 8 * 10, 4 * (4 * 10 * 12 + 8 * 4 * 9 + 8 * 8 * 10)
    assert work_of(cost, "forward") == (flops, traffic)
    assert work_of(cost, "gradients") == (3 * flops, 2 * traffic)
    assert work_of(cost, "step") == (2 * flops, 2 * traffic)  # its input needs no gradient
    assert bound(cost, "forward", Peaks(flops, [(1, 2 * traffic)])) == 1
    assert bound(cost, "forward", Peaks(2 * flops, [(1, traffic)])) == 1


def test_workers_check_with_the_parents_expectation(worker: Worker) -> None:
    results, _ = worker.ask("check", CASE, Expectation((expect(CASE, "random"),)))
    assert [result.level for result in results] == ["builds", "shape", "parameters", "forward", "use"]
    assert all(result.passed for result in results)
