"""A busy machine: what other processes disturbed is seen, is said first, and nothing is called of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from common.bench.analysis import Analysis
from common.config import Config
from common.processes import others as others_module
from common.processes.machine import sample
from common.processes.others import Crowd, around, processors
from common.results.measurements import Measurement, Samples
from common.results.record import RunRecord, dump, load
from common.spec.catalogue import timed_cases
from report.commands.timing import _print as print_record
from report.paths import PAGE
from report.runs.runner import costed
from report.runs.timing import warn
from report.sections.page import render
from report.sections.timing_tables import crowd, note, overview, times

CASES = {case.spec.family: case for case in timed_cases() if case.spec.family.endswith("_stack")}
STACK = "conv_stack"
TIMES = [1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0]


def row(
    backend: str, scale: float, others: float = 0.0, waited: float = 0.0, family: str = "conv_stack"
) -> Measurement:
    """Times of two processes beside others that used this share of their two processors."""
    shares = [[share] * 7 for share in (others, waited, others)]
    processes = [
        Samples(0.1, 0.5, 1, [again * scale * t for t in TIMES], TIMES, list(range(7)), [], [], *shares, processors=2)
        for again in (1, 1.02)
    ]
    return Measurement(CASES[family].id, family, "forward", "float32", Config(backend), "cpu", processes)


def run(*rows: Measurement) -> RunRecord:
    environment = {"date": "2026-01-02T03:04:05+00:00", "commit": "abc", "cpu": "a cpu"}
    return RunRecord(environment, {}, measurements=list(rows), costs=[costed(case) for case in CASES.values()])


def texts(record: RunRecord) -> tuple[list[str], list[str], str]:
    """The column against the fastest, the overview, and the note of the only table."""
    analysis = Analysis(record)
    (group,) = analysis.tables
    return [r[3] for r in times(analysis, group).rows], list(overview(analysis).rows[0][1:]), note(analysis, group)


def test_on_a_quiet_machine_differences_are_called() -> None:
    against, front, below = texts(run(row("torch", 0.1), row("jax", 0.4)))
    assert against[0] == "fastest"
    assert against[1].startswith("4.00x [")
    assert front == ["**101**", "404"]
    assert below.startswith("A tie means: less than 1.")


@pytest.mark.parametrize("busy", ["torch", "jax"])
def test_nothing_is_called_of_what_others_disturbed(busy: str) -> None:
    """Neither of the fastest nor of the slower one, and the rank says nothing."""
    record = run(*(row(name, scale, 0.5 * (name == busy)) for name, scale in (("torch", 0.1), ("jax", 0.4))))
    against, front, below = texts(record)
    assert against == ["not known", "not known (4.00x)"]
    assert front == [text + " (disturbed)" * (name == busy) for name, text in (("torch", "101"), ("jax", "404"))]
    assert below.startswith("Nothing is called of the rows that other processes disturbed. A/A")
    assert Analysis(record).ranks(record.measurements[0].group) == [(1, 2), (1, 2)]


def test_rows_that_nobody_disturbed_are_compared_all_the_same() -> None:
    """But none of them is the fastest, for the disturbed one may be."""
    against, front, below = texts(run(row("torch", 0.1), row("jax", 0.4), row("flax", 0.2, 0.5)))
    assert [text.partition(" [")[0] for text in against] == ["not known", "not known (2.00x)", "4.00x"]
    assert front == ["101", "404", "202 (disturbed)"]
    assert below.startswith("A tie means: less than 1.")
    assert "would be a difference. Nothing is called of the rows that other processes disturbed." in below


def test_it_is_said_first_on_the_page_and_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    record = run(row("torch", 0.1, 0.6, 1.2), row("torch", 0.4, family="separable_stack"))
    said = (
        "Other processes used the machine: 1 of 2 rows are disturbed, and nothing is called for them. Others took up "
        "to 60% of a row's processor time, and its threads waited for them up to 1.2 s in a second (CPU pressure 60%)."
    )
    pages = render(record)
    page = pages[PAGE]
    assert f"- **Busy machine:** {said}" in page.partition("## ")[0] + page.partition("## ")[2].partition("## ")[0]
    assert f"## How long they take\n\n**{said}" in pages["parts/times.md"]
    print_record(record)
    assert capsys.readouterr().out.startswith(f"\n{said}")
    assert crowd(Analysis(run(row("torch", 0.1, 0.05, 2.0)))) == ""


def test_what_a_disturbed_stack_saves_is_not_known() -> None:
    record = run(row("torch", 0.4, 0.6), row("torch", 0.1, family="separable_stack"))
    page = "\n".join(render(record).values())
    assert "it is not known in torch." in page
    assert "torch not known" in page
    assert "fair figure" not in page


@pytest.mark.parametrize(
    ("others", "waited", "processors", "crowded"),
    [
        (0.02, 3.0, 2, False),  # its own threads, more than its processors, wait for each other
        (0.15, 0.0, 2, True),
        (0.02, 0.5, 64, True),  # another one holds up one of 64 threads half of the time
        (0.02, 0.0, 64, False),  # others run where it does not want to
        (-0.02, 0.5, 2, False),  # hundredths of a second
    ],
)
def test_what_disturbs(others: float, waited: float, processors: int, crowded: bool) -> None:
    quiet = row("torch", 1.0, others, waited)
    processes = [replace(process, processors=processors) for process in quiet.processes]
    assert replace(quiet, processes=processes).crowded is crowded


def test_a_record_that_does_not_tell_of_others_is_read_and_not_disturbed(tmp_path: Path) -> None:
    dump(run(row("torch", 0.1, 0.9)), tmp_path / "new.json")
    assert load(tmp_path / "new.json").measurements[0].crowded
    before = json.loads((tmp_path / "new.json").read_text())
    for process in before["measurements"][0]["processes"]:
        for name in ("others", "waited", "pressure", "processors"):
            del process[name]
    (tmp_path / "old.json").write_text(json.dumps(before))
    (old,) = load(tmp_path / "old.json").measurements
    assert (old.crowded, old.late, old.share("pressure")) == (False, 0, 0)


@pytest.fixture
def loops() -> Iterator[None]:
    """Two processes a processor that never wait."""
    command = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(command) for _ in range(2 * processors())]
    yield
    for process in busy:
        process.kill()
        process.wait()


@pytest.mark.skipif(around(0.01).others is None, reason="the system does not tell of other processes")
@pytest.mark.usefixtures("loops")
def test_busy_loops_on_the_same_processors_are_seen() -> None:
    """They get half of the time or more, and a thread of ours waits for them: whatever else runs here."""
    samples = [sample(lambda: sum(range(100_000)), 0, 10) for _ in range(7)]
    seconds, cpu, stolen, clock, others, waited, pressure, number = map(list, zip(*samples, strict=True))
    process = Samples(0.0, 0.0, 10, seconds, cpu, list(range(7)), stolen, clock, others, waited, pressure, max(number))
    measured = replace(row("torch", 1.0), processes=[process])
    assert measured.crowded
    assert measured.share("others") > 0.3
    assert measured.share("waited") > 0
    notes: list[str] = []
    warn(SimpleNamespace(progress=SimpleNamespace(note=notes.append)), SimpleNamespace(title="conv"))  # pyright: ignore[reportArgumentType]
    assert notes[0].startswith("conv: other processes use ")


def test_where_the_system_does_not_tell_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(others_module, "PROC", tmp_path)
    assert around(0.0) == Crowd(None, None, None)
    assert sample(lambda: None, 0, 1)[4:7] == (None, None, None)
