"""Nothing is lost after the work: outputs are tried before it, raw results are written first, and a run resumes."""

import os
import stat
from pathlib import Path

import pytest

from common.oracle import digits
from common.results import writing
from common.results.record import load
from common.results.training import load as read_training
from common.results.writing import ResultsError, claimed, made, write_text
from report import rendering
from report.commands import shared
from report.runs import timing, training
from report.runs.progress import Progress
from report.runs.runner import Runner
from tests.test_cli import status

SWEEP = """
blocks: [{block: pointwise_conv, options: {in_channels: 2, out_channels: 3}, input: [1, 2, 4, 4]}]
configs: [{backend: numpy}]
"""
NOT_A_FILE, NO_FOLDER = "not a regular file", "there is no folder"
NO_OPTIONS = ["--from", "torch", "--to", "torch", "--block", "pointwise_conv"]

pytestmark = pytest.mark.usefixtures("numpy_only")


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--json", "no/r.json"], f"no/r.json: {NO_FOLDER} no"),
        (["check", "--json", "file/r.json"], "file/r.json: Not a directory"),
        (["check", "--json", "circle"], "circle: Too many levels of symbolic links"),
        (["check", "--json", "dangling"], f"dangling: {NO_FOLDER} "),
        (["check", "--json", 300 * "x"], f"{300 * 'x'}: File name too long"),
        (["bench", "--json", "no/r.json"], f"no/r.json: {NO_FOLDER} no"),
        (["sweep", "s.yaml", "--json", "no/r.json"], f"no/r.json: {NO_FOLDER} no"),
        (["sweep", "t.yaml"], f"t.json: {NOT_A_FILE}"),
        (["sweep", "s.yaml", "--json", "./s.yaml"], ""),
        (["selftest", "--output", "selftest"], f"selftest/selftest.json: {NOT_A_FILE}"),
        (["train", "--output", "train"], f"train/training.svg: {NOT_A_FILE}"),
        (["train", "--output", "old"], f"old/training.partial.json: {NOT_A_FILE}"),
        (["report", "--output", "page"], f"page/REPORT.md: {NOT_A_FILE}"),
        (["report", "--output", "new/folder", "-d", "gpu"], ""),
        (["report", "--from", "file", "--output", "page"], f"page/REPORT.md: {NOT_A_FILE}"),
        (["port", "file", *NO_OPTIONS, "-o", "no/w.pt"], f"no/w.pt: {NO_FOLDER} no"),
        (["port", "file", *NO_OPTIONS, "-o", "w.pt", "--save-map", "train"], f"train: {NOT_A_FILE}"),
        (["compare", "a:A", "b:B", "--input", "1x1x1x1", "--save-map", "no/m"], f"no/m: {NO_FOLDER} no"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work_and_nothing_is_left(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (
        "t.json",
        "selftest/selftest.json",
        "train/training.svg",
        "page/REPORT.md",
        "old/training.partial.json",
    ):
        Path(folder).mkdir(parents=True)
    Path("file").write_text("before")
    for name in ("s.yaml", "t.yaml"):
        Path(name).write_text(SWEEP)
    Path("circle").symlink_to("circle")
    Path("dangling").symlink_to("nowhere/r.json")
    before = tree(tmp_path)
    assert status(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"convparity: cannot write {message}" if message else "convparity: ")
    assert printed.err.count("\n") == 1
    assert tree(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everything")
@pytest.mark.parametrize("path", ["file", "folder/r.json"])
def test_what_is_protected_is_not_replaced(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o444)
    (tmp_path / "folder").mkdir(0o555)
    with pytest.raises(ResultsError, match="Permission denied"), claimed(tmp_path / path):
        pytest.fail("not refused")


def test_two_runs_do_not_write_one_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path, link = tmp_path / "r.json", tmp_path / "link"
    link.symlink_to(path)
    path.write_text("before")
    with claimed(path):
        assert status("check", "--json", str(link)) == 2
        assert f"cannot write {link}: another run, process {os.getpid()}, writes it" in capsys.readouterr().err
    assert {item.name for item in tmp_path.iterdir()} == {"r.json", "link"}
    assert path.read_text() == "before"
    with claimed(path), claimed(tmp_path / "other.json"):
        pass
    assert status("port", "w", *NO_OPTIONS, "-o", str(path), "--save-map", str(link)) == 2
    assert "is named for two outputs" in capsys.readouterr().err


def test_a_file_is_written_through_its_link_and_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "r.json", tmp_path / "link"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text(link, "after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_text(tmp_path / (251 * "x" + ".txt"), "a long name")


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path: Path) -> None:
    with made(tmp_path / "a" / "b" / "r.json"):
        assert (tmp_path / "a" / "b").is_dir()
    assert not (tmp_path / "a").exists()
    with made(tmp_path / "a" / "b" / "r.json"):
        (tmp_path / "a" / "r.json").touch()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["r.json"]


def test_results_that_cannot_be_written_after_the_work_are_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    real, working = writing._file, []

    def full(path: Path) -> Path:
        if path.name == "r.json" and working:
            raise ResultsError(f"cannot write {path}: No space left on device")
        return real(path)

    def step(progress: Progress, text: str) -> None:
        working.append(text)

    monkeypatch.setattr(writing, "_file", full)
    monkeypatch.setattr(Progress, "step", step)
    monkeypatch.setattr(shared.tempfile, "tempdir", str(tmp_path))
    assert status("check", "-k", "pointwise_conv-bias", "--json", str(tmp_path / "r.json")) == 2
    printed = capsys.readouterr()
    assert "No space left on device; it will be tried again after the next case" in printed.err
    assert "No space left on device\n" in printed.err
    assert "agrees 1/1" in printed.out
    (kept,) = tmp_path.rglob("results.json")
    assert f"wrote {kept}" in printed.out
    assert load(kept).checks


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["check", "-k", "conv", "--json", "r.json"], "r.json"),
        (["selftest", "--output", "."], "selftest.partial.json"),
        (["train", "--seeds", "1", "--epochs", "1", "--output", "."], "training.partial.json"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_finished_is_there_when_a_run_is_interrupted(
    arguments: list[str], kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    post, whole, asked = Runner.post, digits.batches, []

    def interrupted(run: Runner, worker: object, case: str, *arguments: object) -> bool:
        asked.append(case)
        if len([case for case in asked if case]) == 2:
            raise KeyboardInterrupt
        return post(run, worker, case, *arguments)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Runner, "post", interrupted)
    monkeypatch.setattr(digits, "batches", lambda data, epochs, seed: whole(data, epochs, seed)[:2])
    monkeypatch.setattr(training, "COMPARED", 2)
    monkeypatch.chdir(tmp_path)
    assert status(*arguments) == 130
    assert f"{kept} has what is finished\n" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [kept]
    if arguments[0] == "train":
        assert len(read_training(Path(kept)).fits) == 1
    else:
        assert {row.case for row in load(Path(kept)).checks} == {*filter(None, asked[:-1])}


@pytest.mark.usefixtures("brief")
def test_a_report_that_was_interrupted_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(rendering, "HERE", tmp_path)
    asked = []
    ask, measure = Runner._ask_all, timing.measure

    def ask_all(run: Runner, case: str, *arguments: object) -> object:
        asked.append(case)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return ask(run, case, *arguments)  # pyright: ignore[reportArgumentType]

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "_ask_all", ask_all)
    monkeypatch.setattr(timing, "measure", interrupted)
    partial, results = tmp_path / "results.partial.json", tmp_path / "results.json"
    results.write_text("of an earlier run")
    assert status("report", "--threads", "1", "--output", str(tmp_path)) == 130
    assert f"{partial} has what is finished; the same command with --resume" in capsys.readouterr().err
    assert {row.case for row in load(partial).checks} == set(asked[:1])
    assert status("report", "--threads", "2", "--output", str(tmp_path), "--resume") == 2
    assert "is of a run with threads a framework `1`, this one has `2`; begin anew" in capsys.readouterr().err
    assert status("report", "--threads", "1", "--output", str(tmp_path), "--resume") == 130
    assert len(asked) == 4
    assert len({row.case for row in load(partial).checks}) == 3
    assert results.read_text() == "of an earlier run"
    monkeypatch.setattr(timing, "measure", measure)
    assert status("report", "--threads", "1", "--output", str(tmp_path), "--resume") == 0
    assert len(asked) == 4
    record = load(results)
    assert len({row.case for row in record.checks}) == 3
    assert len(record.measurements) == 1
    assert {path.name for path in tmp_path.iterdir()} >= {"results.json", "REPORT.md"}
    assert not partial.exists()
