"""The command as a user meets it: help, typos, and an exit status that can be relied on."""

from pathlib import Path

import pytest

import frameworks
from common.oracle import digits
from common.processes.pool import Worker
from common.results import training
from common.results.record import load
from report.cli import main
from report.runs import training as runs


@pytest.fixture
def numpy_only(peaks_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of backends with the one that needs no framework."""
    monkeypatch.setattr(frameworks, "BACKENDS", {"numpy": frameworks.Row("tests.support.numpy_backend", ("numpy",))})
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)


def status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize("command", ["list", "check", "bench", "train", "report"])
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(command, "--help") == 0
    assert f"Example: convparity {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chek"], "No such command 'chek'"),
        (["check", "-b", "padle"], "unknown backend `padle`; choose from torch, paddle, jax, flax"),
        (["check", "-k", "lstm"], "nothing to run matches `lstm`; the blocks are standard_conv, "),
        (["check", "--dtype", "half"], "unknown dtype `half`; choose from float32, float64"),
        (["check", "--jsn", "x"], "No such option '--jsn'"),
        (["check", "--json", "/dev/full"], "cannot write /dev/full: not a regular file"),
        (["check", "--json", ""], "cannot write "),
        (["check", "--json", "/dev/null/x.json"], "cannot write /dev/null/x.json: "),
        (["bench", "--profile", "fast"], "unknown profile `fast`; choose from quick, full"),
        (["bench", "--threads", "0"], "Invalid value for '--threads': 0 is not in the range 1<=x<=4096."),
        (["report", "--output", "/dev/null/x"], "cannot write /dev/null/x/results.json: "),
        (["train", "-b", "padle"], "unknown backend `padle`; choose from torch, paddle, jax, flax"),
        (["check", "--variant", "fast"], "unknown variant `fast`; choose from reference, tuned"),
        (["train", "--seeds", "0"], "Invalid value for '--seeds': 0 is not in the range x>=1."),
        (["train", "--epochs", "0"], "Invalid value for '--epochs': 0 is not in the range x>=1."),
        (["train", "--output", "/dev/null/x"], "cannot write /dev/null/x/training.json: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"convparity: {message}")
    assert printed.err.count("\n") == 1
    assert not printed.out


@pytest.mark.parametrize(("name", "extra"), [("paddle", "paddle"), ("flax", "jax")])
def test_a_framework_that_is_named_and_missing_is_an_error(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = frameworks.BACKENDS[name]._replace(needs=("no_such_module",))
    monkeypatch.setitem(frameworks.BACKENDS, name, row)
    assert status("check", "-b", name) == 2
    assert f"backend `{name}` needs `no_such_module`: pip install -e '.[{extra}]'" in capsys.readouterr().err


@pytest.mark.usefixtures("numpy_only")
def test_check_agrees_and_writes_its_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("check", "-k", "conv_bn_act", "--json", str(tmp_path / "r.json")) == 0
    assert "agrees 6/6" in capsys.readouterr().out
    record = load(tmp_path / "r.json")
    assert len(record.checks) == 6 * (5 + 9 + 4)  # before training, in training, in use
    assert record.backends["numpy"]["devices"] == "cpu, fake"
    assert record.environment["cpu"]


@pytest.mark.usefixtures("numpy_only")
def test_check_disagrees_with_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CONVPARITY_TEST_FAULT", "offset")
    assert status("check", "-k", "pointwise_conv-bias") == 1
    printed = capsys.readouterr()
    assert "DIFFERS 0/1" in printed.out
    assert "[pointwise_conv-bias / numpy] forward: on random: greatest abs difference 1.0e-03" in printed.err


@pytest.mark.usefixtures("numpy_only")
def test_a_backend_that_cannot_start_is_reported_with_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(frameworks.BACKENDS, "broken", frameworks.Row("tests.no_such_module", ("numpy",)))
    assert status("check", "-k", "pointwise_conv-bias") == 1
    printed = capsys.readouterr()
    assert "agrees 1/1" in printed.out
    assert "not available: broken" in printed.err


@pytest.mark.usefixtures("numpy_only")
def test_bench_times_what_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("bench", "-k", "pointwise_conv", "--threads", "1", "--json", str(tmp_path / "r.json")) == 0
    assert "fastest" in capsys.readouterr().out
    record = load(tmp_path / "r.json")
    assert record.environment["threads a framework"] == "1"
    assert [row.backend for row in record.measurements] == ["numpy"]


@pytest.mark.usefixtures("numpy_only")
def test_a_bad_training_record_is_refused_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "training.json").write_text("{}")
    assert status("report", "--output", str(tmp_path)) == 2
    assert "schema version None, this is for 1" in capsys.readouterr().err
    assert not (tmp_path / "REPORT.md").exists()


@pytest.fixture
def brief(numpy_only: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps of training, two of them compared."""
    monkeypatch.setattr(runs, "COMPARED", 2)
    whole = digits.batches
    monkeypatch.setattr(digits, "batches", lambda data, epochs, seed: whole(data, epochs, seed)[:3])


@pytest.mark.usefixtures("brief")
def test_train_writes_its_record_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("train", "--seeds", "2", "--epochs", "1", "--output", str(tmp_path)) == 0
    printed = capsys.readouterr()
    assert "never in 2 steps" in printed.out
    record = training.load(tmp_path / "training.json")
    assert [(fit.net, fit.seed, len(fit.losses)) for fit in record.fits] == [
        (net, seed, 3) for net in ("digits_separable", "digits_standard") for seed in (0, 1)
    ]
    assert [len(oracle.losses) for oracle in record.oracles] == [2, 2]
    assert record.environment["threads a framework"] == "1"
    assert (tmp_path / "training.svg").read_text().startswith("<?xml")


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(("fault", "reason"), [("nan", "the loss of step 1 is not finite"), ("kill", "SIGKILL")])
def test_a_backend_that_cannot_train_costs_its_own_rows(
    fault: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(frameworks.BACKENDS, "other", frameworks.Row("tests.support.numpy_backend", ("numpy",)))
    start = Worker._start

    def faulty(worker: Worker) -> object:
        with monkeypatch.context() as patch:
            if worker.name == "other":
                patch.setenv("CONVPARITY_TEST_FAULT", fault)
            return start(worker)

    monkeypatch.setattr(Worker, "_start", faulty)
    assert status("train", "--seeds", "1", "--epochs", "1", "--output", str(tmp_path)) == 1
    printed = capsys.readouterr()
    assert reason in printed.err
    record = training.load(tmp_path / "training.json")
    assert [fit.backend for fit in record.fits] == ["numpy", "numpy"]
    assert {item.backend for item in record.unavailable} == {"other"}
    assert "not available" in printed.out


@pytest.mark.usefixtures("numpy_only")
def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("list") == 0
    printed = capsys.readouterr().out
    assert "ghost_module: Han et al., 2020" in printed
    assert "backend numpy: version" in printed
