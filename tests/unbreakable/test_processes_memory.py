"""What does not fit into memory costs its own rows, and is said before it is begun."""

import signal
from pathlib import Path

import numpy as np
import pytest

from common.check import judge
from common.processes import machine, messages
from common.processes.pool import Worker, WorkerFailed
from common.results.record import load
from common.session import tasks
from common.spec.catalogue import Case, block
from report.cli import main
from report.runs import references
from tests.test_cli import status

SWEEP = """
budget: 0.05
processes: 1
blocks:
  - {block: pointwise_conv, options: {in_channels: 2, out_channels: 3}, input: [1, 2, 4, 4]}
  - {block: pointwise_conv, options: {in_channels: 2, out_channels: 3}, input: [1, 2, 1000000, 1000000]}
  - {block: pointwise_conv, options: {in_channels: 2, out_channels: 5}, input: [1, 2, 4, 4]}
configs: [{backend: numpy}]
"""


@pytest.mark.usefixtures("numpy_only")
def test_one_large_case_of_a_sweep_costs_its_own_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.yaml").write_text(SWEEP)
    assert status("sweep", str(tmp_path / "s.yaml"), "--threads", "1") == 1
    assert "1x2x1000000x1000000 reference: needs 80,000.0 GB of memory, " in capsys.readouterr().err
    record = load(tmp_path / "s.json")
    assert [row.case for row in record.measurements] == [f"pointwise_conv-c2_{n}-1x2x4x4" for n in (3, 5)]
    assert [(item.stage, item.died) for item in record.unavailable] == [("reference", False)]
    assert status("sweep", str(tmp_path / "s.yaml"), "--threads", "1") == 1
    assert "has 3 of 3 tables already" in capsys.readouterr().out


def test_the_least_memory_is_below_what_the_reference_takes() -> None:
    case = Case("x", block("conv_bn_act", in_channels=4, out_channels=8), (2, 4, 128, 128))
    least = tasks.least_memory(case)
    assert least >= 16 * 3 * 2 * 8 * 126 * 126
    assert least <= machine.peak_of(lambda: [judge.expect(case, "random")].clear())


@pytest.mark.parametrize("mode", ["forward", "gradients", "step"])
def test_a_case_that_did_not_fit_is_lost_as_well(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise MemoryError("Unable to allocate 75 GB")

    monkeypatch.setattr(tasks.inputs, "make", full)
    with pytest.raises(tasks.TooLarge, match="MemoryError: Unable to allocate 75 GB"):
        tasks.task(Case("x", block("pointwise_conv", in_channels=2, out_channels=3), (1, 2, 4, 4)), mode)


@pytest.mark.usefixtures("numpy_only")
def test_a_check_without_its_reference_loses_that_case(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = references.expectations

    def full(case: Case) -> judge.Expectation:
        if case.name == "bias":
            raise MemoryError("Unable to allocate 75 GB")
        return real(case)

    monkeypatch.setattr(references, "expectations", full)
    assert status("check", "-k", "pointwise_conv", "--json", str(tmp_path / "r.json")) == 1
    assert "numpy pointwise_conv-bias reference: MemoryError: Unable to allocate 75 GB\n" in capsys.readouterr().err
    assert {row.case for row in load(tmp_path / "r.json").checks}


@pytest.mark.parametrize("part", ["request", "answer"])
def test_messages_that_do_not_fit_are_one_line(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker("bad", "bad", threads=1, entry="tests.support.misbehaving")

    def full(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(messages, {"request": "request", "answer": "decode"}[part], full)
    try:
        with pytest.raises(WorkerFailed, match=f"its {part} does not fit into memory"):
            worker.ask("echo", np.zeros(1))
        monkeypatch.undo()
        assert worker.ask("echo", np.zeros(1)) == 0
    finally:
        worker.stop()


def test_a_comparison_says_what_its_input_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory", lambda: 10**9)
    assert status("compare", "a.py:N", "b.py:N", "--input", "1x3x9000x9000") == 2
    assert capsys.readouterr().err.startswith("convparity: an input of 1x3x9000x9000 needs 1.9 GB of memory, 1.0 GB")


def test_signals_that_are_ignored_stay_so(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit):
            main(["--help"])
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
