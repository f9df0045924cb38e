"""Answers of the reference are read again only if nothing that they depend on has changed, and never wrongly."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from common.check import cache
from common.check.comparison import Values

ANSWER = Values({"a": np.arange(6.0).reshape(2, 3)}, {"a": np.full((2, 3), 1e-7)})


class Counted:
    """A computation that knows how often it ran."""

    times = 0

    def __call__(self) -> Values:
        self.times += 1
        return ANSWER


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "kept"))
    return tmp_path / "kept"


def asked(compute: Counted, question: object = "x") -> None:
    answer = cache.kept(Values, question, compute)
    np.testing.assert_array_equal(answer.exact["a"], ANSWER.exact["a"])
    np.testing.assert_array_equal(answer.allowed["a"], ANSWER.allowed["a"])


def test_an_answer_is_computed_once_a_question(folder: Path) -> None:
    compute = Counted()
    for question in ("x", "x", ("x", 1), "x"):
        asked(compute, question)
    assert compute.times == len(list(folder.iterdir())) == 2


def test_other_code_or_libraries_ask_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Counted()
    asked(compute)
    monkeypatch.setattr(cache, "_program", lambda: b"another source")
    asked(compute)
    assert compute.times == 2


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:-9] + b"\1" + data[-8:], lambda data: b""]
)
def test_a_damaged_answer_is_computed_again(folder: Path, damage: object) -> None:
    compute = Counted()
    asked(compute)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    asked(compute)
    asked(compute)
    assert compute.times == 2


def test_a_folder_that_cannot_be_written_costs_the_time_alone(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    compute = Counted()
    asked(compute)
    asked(compute)
    assert compute.times == 2


def test_nothing_is_kept_if_the_folder_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.FOLDER, "")
    compute = Counted()
    asked(compute)
    asked(compute)
    assert compute.times == 2


def test_what_was_not_read_for_longest_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 600)  # two answers
    compute = Counted()
    for question in range(5):
        asked(compute, question)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 600
    asked(compute, 4)
    assert compute.times == 5


WRITER = """
import itertools, sys
import numpy as np
from common.check import cache
from common.check.comparison import Values
for question in itertools.islice(itertools.cycle(range(4)), int(sys.argv[1])):
    right = np.full(2000, float(question))
    answer = cache.kept(Values, question, lambda: Values({"a": right}, {"a": right}))
    assert np.array_equal(answer.exact["a"], right)
    (cache.folder() / cache._named(Values, question)).unlink(missing_ok=True)  # it is written again and again
    print(question, flush=True)
"""


def test_two_runs_at_once_and_a_killed_one_harm_nothing(folder: Path) -> None:
    killed, other = (
        subprocess.Popen([sys.executable, "-c", WRITER, times], stdout=subprocess.PIPE, text=True)
        for times in ("1000000", "400")
    )
    assert killed.stdout
    killed.stdout.readline()
    time.sleep(0.1)
    killed.kill()
    killed.wait()
    killed.stdout.close()
    assert other.communicate()[0].count("\n") == 400
    assert other.returncode == 0
    compute = Counted()
    for question in (*range(4), "x"):
        cache.kept(Values, question, compute)
    assert {file.name for file in folder.iterdir()} >= {cache._named(Values, question) for question in (*range(4), "x")}
