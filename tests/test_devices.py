"""A device is a parameter, from the command line to the record: shown on a backend with a second one in name alone."""

from pathlib import Path
from typing import Any

import pytest

import frameworks
from common.check.judge import check, examine
from common.config import Config, NotAvailable, configured, form_on
from common.processes.pool import Worker
from common.protocols import as_variant
from common.results import training
from common.results.record import RunRecord, load
from common.spec.catalogue import Case, block
from common.spec.params import randomised
from tests.support import numpy_backend
from tests.test_cli import brief, numpy_only, status  # noqa: F401 - fixtures

CASE = Case("tiny", block("pointwise_conv", in_channels=3, out_channels=4), (1, 3, 8, 9))
REFUSED = "`tuned` of numpy has forms for cpu, not for `fake`"


@pytest.fixture(autouse=True)
def right(numpy_only: None) -> None:  # noqa: F811
    """Of all backends there is only the one without a framework, and nothing is wrong with it."""


def ran(tmp_path: Path, *arguments: str) -> tuple[int, RunRecord]:
    """The exit status of a command, and the record that it wrote."""
    path = tmp_path / "record.json"
    return status(*arguments, "--json", str(path)), load(path)


def test_a_label_has_the_device_that_is_not_the_default() -> None:
    assert configured("numpy").label == "numpy"
    assert configured("numpy", device="fake") == Config("numpy", device="fake")
    assert configured("numpy", "tuned", "compiled", "fake").label == "numpy fake tuned compiled"
    assert configured("numpy", "tuned", "compiled", "fake").place == "numpy fake"


def test_a_built_block_says_where_it_is() -> None:
    params = randomised(CASE.spec)
    assert numpy_backend.build(CASE.spec, params).device == "cpu"
    assert as_variant(numpy_backend, device="fake").build(CASE.spec, params).device == "fake"


@pytest.mark.parametrize(("device", "label", "where"), [("", "numpy", "cpu"), ("fake", "numpy fake", "fake")])
def test_every_result_of_a_check_says_where(device: str, label: str, where: str) -> None:
    results = check(CASE, numpy_backend, device=device)
    assert {(result.backend, result.device, result.passed) for result in results} == {(label, where, True)}
    assert results[0].message.startswith(f"[{CASE.id} / {label}] builds")


def test_check_on_each_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, record = ran(tmp_path, "check", "-k", "pointwise_conv-bias", "-d", "fake", "-d", "cpu", "-d", "fake")
    assert code == 0
    assert {(r.backend, r.device) for r in record.checks} == {("numpy fake", "fake"), ("numpy cpu", "cpu")}
    assert list(record.backends) == ["numpy fake", "numpy cpu"]
    header = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("block"))
    assert header.split() == ["block", "numpy", "fake", "numpy", "cpu"]


def test_bench_on_each_device(tmp_path: Path) -> None:
    code, record = ran(tmp_path, "bench", "-k", "pointwise_conv", "--threads", "1", "-d", "cpu", "-d", "fake")
    assert code == 0
    assert [(row.config.label, row.config.device, row.device) for row in record.measurements] == [
        ("numpy cpu", "cpu", "cpu"),
        ("numpy fake", "fake", "fake"),
    ]
    assert list(record.backends) == ["numpy cpu", "numpy fake"]


def test_a_run_without_a_device_is_on_the_first(tmp_path: Path) -> None:
    code, record = ran(tmp_path, "bench", "-k", "pointwise_conv", "--threads", "1")
    assert code == 0
    assert [(row.config, row.device) for row in record.measurements] == [(Config("numpy"), "cpu")]


def test_what_a_device_has_no_form_for_is_not_available_and_not_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variants = ["--variant", "reference", "--variant", "tuned"]
    code, record = ran(tmp_path, "bench", "-k", "pointwise_conv", "--threads", "1", "-d", "fake", *variants)
    assert code == 1
    assert [row.config.label for row in record.measurements] == ["numpy fake"]
    assert [(item.label, item.reason) for item in record.unavailable] == [
        ("numpy fake tuned", f"NotAvailable: {REFUSED}")
    ]
    assert f"not available: numpy fake tuned {record.measurements[0].case} build: " in capsys.readouterr().err


def test_what_a_device_has_no_form_for_neither_passes_nor_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["-d", "fake", "-d", "cpu"]
    code, record = ran(tmp_path, "check", "-k", "pointwise_conv", "--variant", "tuned", *places)
    cases = len({result.case for result in record.checks})
    assert code == 1
    assert {(result.backend, result.passed) for result in record.checks} == {("numpy cpu tuned", True)}
    assert [(item.backend, item.reason) for item in record.unavailable] == [
        ("numpy fake", f"NotAvailable: {REFUSED}")
    ] * cases
    printed = capsys.readouterr()
    assert f"incomplete 0/{cases}" in printed.out
    assert printed.err.count(REFUSED) == 1
    assert printed.err.rstrip().endswith(f"(and {cases - 1} more like it)")


def test_a_form_is_found_by_device_or_refused_in_words() -> None:
    assert form_on("cpu", {"cpu": 1}, "numpy") == form_on("cpu", {"cpu": 1}, "numpy", "cpu") == 1
    with pytest.raises(NotAvailable, match=f"^{REFUSED}$"):
        form_on("fake", {"cpu": 1}, "numpy")
    with pytest.raises(NotAvailable, match="on `cpu` needs that for the process's default, not `fake`"):
        form_on("cpu", {"cpu": 1}, "numpy", "fake")
    with pytest.raises(NotAvailable, match=f"^{REFUSED}$"):
        examine(CASE, as_variant(numpy_backend, "tuned"), device="fake")


@pytest.mark.parametrize("command", ["check", "bench", "selftest", "report", "train"])
def test_an_unknown_device_is_one_line_with_the_choices(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--output", str(tmp_path)] if command in ("selftest", "report", "train") else []
    for devices, message in (
        (["-d", "gpu"], "unknown device of numpy `gpu`; choose from cpu, fake"),
        (["-d", "cpu", "-d", "gpu"], "unknown device `gpu`; choose from cpu, fake"),
    ):
        assert status(command, *devices, *folder) == 2
        printed = capsys.readouterr()
        assert printed.err == f"convparity: {message}\n"
        assert not printed.out
    assert not list(tmp_path.glob("*.json"))


def test_a_framework_is_run_on_those_devices_that_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frameworks call one device by different names: all can be given in one run."""
    monkeypatch.setitem(frameworks.BACKENDS, "other", frameworks.Row("tests.support.numpy_backend", ("numpy",)))
    ask = Worker.collect

    def collect(worker: Worker) -> Any:
        answer = ask(worker)
        return answer | {"devices": "fake"} if worker.name == "other" and "devices" in answer else answer

    monkeypatch.setattr(Worker, "collect", collect)
    code, record = ran(tmp_path, "check", "-k", "pointwise_conv-bias", "-d", "fake", "-d", "cpu")
    assert code == 0
    assert list(record.backends) == ["numpy fake", "numpy cpu", "other fake"]


SWEEP = """
budget: 0.1
processes: 1
memory: true
blocks:
  - {block: pointwise_conv, options: {in_channels: 3, out_channels: 4}, input: [1, 3, 5, 6]}
configs:
  - {backend: numpy, device: [cpu, fake]}
"""


def test_a_sweep_compares_devices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "devices.yaml"
    file.write_text(SWEEP)
    assert status("sweep", str(file), "--threads", "1") == 0
    record = load(file.with_suffix(".json"))
    assert [(row.config.label, row.device) for row in record.measurements] == [
        ("numpy cpu", "cpu"),
        ("numpy fake", "fake"),
    ]
    assert [use.config.device for use in record.memory] == ["cpu", "fake"]
    capsys.readouterr()
    file.with_suffix(".json").unlink()
    file.write_text(SWEEP.replace("fake]", "gpu]"))
    assert status("sweep", str(file), "--threads", "1") == 2
    assert capsys.readouterr().err == "convparity: unknown device of numpy `gpu`; choose from cpu, fake\n"
    assert not file.with_suffix(".json").exists()


@pytest.mark.usefixtures("brief")
def test_training_says_where(tmp_path: Path) -> None:
    arguments = ["--seeds", "1", "--epochs", "1", "--output", str(tmp_path), "-d", "fake"]
    assert status("train", *arguments) == 0
    record = training.load(tmp_path / "training.json")
    assert {fit.backend for fit in record.fits} == set(record.backends) == {"numpy fake"}
