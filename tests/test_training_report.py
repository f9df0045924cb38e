"""The training record on disk, and the section and figure made of one: what they say, and what they do not."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.oracle.digits import OPTIMISER, digits_separable, digits_standard
from common.results import training
from common.results.record import RunRecord, Unavailable, dump
from common.results.training import Fit, Oracle, TrainingRecord, stored
from common.results.writing import ResultsError, write_text
from common.spec.catalogue import Case
from report import rendering
from report.rendering import other_records
from report.runs.runner import costed
from report.sections import training as section
from report.sections.training import accuracy, parting, verdict
from report.sections.training_figure import draw
from tests.support.pages import render

SEPARABLE, STANDARD = "digits_separable", "digits_standard"
EXACT = [2.0, 1.0]


def training_section(record: TrainingRecord) -> str:
    return "\n\n".join(section.training_section(record))


def fit(net: str, backend: str, seed: int, correct: int, off: float = 0.0) -> Fit:
    return Fit(net, backend, seed, [2.0, 1.0 + off, 0.5 + off, 0.25], correct)


@pytest.fixture
def record() -> TrainingRecord:
    """Of 100 test images the separable net gets 10 fewer in every seed but one, 9 fewer; jax is apart at step 2."""
    fits = [
        fit(net, backend, seed, right, off)
        for backend, off in (("torch", 0.0), ("jax", 0.1))
        for net, correct in ((SEPARABLE, (85, 86, 88)), (STANDARD, (95, 96, 97)))
        for seed, right in enumerate(correct)
    ]
    return TrainingRecord(
        {"date": "2026-01-02T03:04:05+00:00", "commit": "abc123", "cpu": "a cpu"},
        {"torch": {"torch": "2.0"}, "jax": {"jax": "0.9"}},
        3,
        4,
        64,
        OPTIMISER,
        1000,
        100,
        [costed(Case("net", spec, (1, 1, 8, 8))) for spec in (digits_separable(), digits_standard())],
        [Oracle(net, 0, EXACT, [1e-6, 1e-3]) for net in (SEPARABLE, STANDARD)],
        fits,
    )


def test_a_record_survives_the_disk(record: TrainingRecord, tmp_path: Path) -> None:
    dump(record, tmp_path / "t.json")
    assert training.load(tmp_path / "t.json") == record
    with pytest.raises(ResultsError, match="schema version None"):
        training.load(write(tmp_path / "bad.json", "{}"))
    with pytest.raises(ResultsError, match="is not a results file"):
        training.load(write(tmp_path / "bad.json", '{"schema_version": 1}'))


def write(path: Path, text: str) -> Path:
    write_text(path, text)
    return path


def test_stored_losses_are_all_that_float32_has() -> None:
    value = 2.3158691
    assert stored([value + 1e-12]) == [value]


def test_the_section_says_what_the_record_says(record: TrainingRecord) -> None:
    text = training_section(record)
    assert "on 2026-01-02 at commit `abc123`" in text
    assert "torch 2.0, jax 0.9" in text
    assert f"| `{SEPARABLE}` |" in text
    rows = accuracy(record).rows
    assert rows[0] == [f"`{SEPARABLE}`, %", "86.3 (85.0 to 88.0)", "86.3 (85.0 to 88.0)"]
    assert rows[2] == ["separable minus standard, points", "-9.7 (-10.0 to -9.0)", "-9.7 (-10.0 to -9.0)"]
    assert parting(record).rows[0] == [f"`{SEPARABLE}`", "never in 2 steps; 0.00 of it at step 1", "**step 2**"]
    assert "within 0.0001 % of the loss until step 1 and within 1 % of the loss until step 1." in text
    assert "What could not be trained" not in text


def test_the_verdict_depends_on_the_seeds(record: TrainingRecord) -> None:
    # Mean -29/3, deviation sqrt(1/3), so the interval is 4.303 / 3 = 1.434 on either side.
    assert "9.67 points worse (95% interval by Student's t: -11.10 to -8.23; worse for 3 of the seeds)" in verdict(
        record
    )
    assert verdict(record).endswith("**more than these seeds vary**, though 3 seeds are few.")
    record.fits = [replace(f, correct=99) if (f.net, f.seed) == (SEPARABLE, 0) else f for f in record.fits]
    assert "worse for 2 of the seeds): **within what seeds vary**" in verdict(record)
    record.seeds = 1
    assert verdict(record).startswith("1 seed to compare says nothing about")


def test_a_missing_backend_is_said_and_leaves_the_rest(record: TrainingRecord) -> None:
    record.fits = [f for f in record.fits if f.backend == "torch" or (f.net, f.seed) == (SEPARABLE, 1)]
    record.unavailable = [
        Unavailable("jax", f"{STANDARD}, seed 0", "fit", "killed"),
        Unavailable("flax", "", "start", "no"),
    ]
    text = training_section(record)
    assert accuracy(record).rows[1][2:] == ["not available", "not available"]
    assert accuracy(record).rows[2] == [
        "separable minus standard, points",
        "-9.7 (-10.0 to -9.0)",
        *["not available"] * 2,
    ]
    assert "| jax       | digits_standard, seed 0 | fit     | killed   |" in text
    assert not record.complete
    record.fits = []
    assert "0 seed to compare" in training_section(record)


def test_the_figure_is_the_same_each_time(record: TrainingRecord, tmp_path: Path) -> None:
    draw(record, tmp_path / "a.svg")
    draw(record, tmp_path / "b.svg")
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert "fill: #ffffff" in text
    assert "<dc:date>" not in text


def test_the_report_has_the_section_of_its_folder_or_of_the_checkout(
    record: TrainingRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "HERE", tmp_path / "checkout")
    output, newer = tmp_path / "output", replace(record, environment=record.environment | {"commit": "def456"})
    assert other_records(output)["training"] is None
    dump(record, tmp_path / "checkout" / "training.json")
    assert other_records(output)["training"] == record
    dump(newer, output / "training.json")
    assert other_records(output)["training"] == newer
    run = RunRecord({"date": "2026-01-02", "commit": "abc"}, {})
    assert training_section(newer) not in render(run)
    page = render(run, training=newer)
    assert training_section(newer).partition("\n\n")[2] in page  # after a heading that names its machine
    assert page.index("## Training on real data") < page.index("## Not available")
