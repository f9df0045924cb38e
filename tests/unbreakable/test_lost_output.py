"""Standard output and error that are closed, full or of another encoding: the work is done, and its status is right."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.processes.pool import ROOT
from report.commands import streams
from report.runs.progress import Progress
from tests.test_cli import status

RUN = """
import sys
import frameworks
from report.cli import main
frameworks.BACKENDS = {"numpy": frameworks.Row("tests.support.numpy_backend", ("numpy",))}
main(sys.argv[1:])
"""


def run(arguments: str, redirected: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command in a shell, with its standard streams redirected."""
    line = f"{sys.executable} -c '{RUN}' {arguments} {redirected}"
    variables = os.environ | environment
    variables.pop("CONVPARITY_TEST_FAULT", None)
    return subprocess.run(["bash", "-c", line], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("redirected", "expected", "said"),
    [
        (">/dev/full", 2, "convparity: cannot print: No space left on device\n"),
        ("<&- >&- 2>/dev/full", 0, ""),
        ("| true; exit ${PIPESTATUS[0]}", 2, "convparity: cannot print: Broken pipe\n"),
    ],
    ids=["full", "closed", "pipe"],
)
def test_a_stream_that_cannot_be_written_loses_no_results(
    redirected: str, expected: int, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    done = run(f"check -k pointwise_conv-bias --json {path}", redirected)
    assert done.stderr.endswith(said)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == expected
    assert path.read_text().startswith("{")
    assert [item.name for item in tmp_path.iterdir()] == ["r.json"]


def test_the_command_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    for name in ("pickle", "numpy", "json", "click", "common", "dataclasses"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(__file__)")
    command = [sys.executable, "-m", "convparity", "check", "-b", "padle"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stderr.startswith("convparity: unknown backend `padle`")


@pytest.mark.parametrize("error", ["full", "closed"])
def test_a_refusal_keeps_its_status(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Path("/dev/full").open("w", buffering=1) if error == "full" else None  # noqa: SIM115
    monkeypatch.setattr(sys, "stderr", stream)
    assert status("check", "-b", "padle") == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_an_encoding_lacks_is_no_reason_to_end(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert status("check", "-b", "\N{MULTIPLICATION SIGN}\N{RIGHTWARDS ARROW}\udcff") == 2
    assert status("explain", "ghost_module", "--from", "torch", "--to", "jax") == 0
    with Progress([1]) as progress:
        progress.step("\N{RIGHTWARDS ARROW}")
    printed = sys.stderr.buffer.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert printed.endswith(b"[  1/1] \\u2192\n")


def test_an_error_of_the_system_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def missing() -> None:
        (tmp_path / "none").read_text()

    monkeypatch.setattr("common.processes.machine.processors", missing)
    monkeypatch.setattr(streams, "prepare", lambda: None)
    assert status("check", "-k", "pointwise_conv-bias") == 2
    assert capsys.readouterr().err == f"convparity: {tmp_path / 'none'}: No such file or directory\n"
