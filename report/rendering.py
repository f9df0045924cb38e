"""From records on disk to REPORT.md: nothing is run, and no framework is imported."""

import os
from pathlib import Path
from typing import Any

from common.results import training
from common.results.record import RunRecord, load
from common.results.writing import ResultsError, made, write_text
from common.spec.catalogue import PROFILES
from report.paths import CALIBRATION, FIGURE, HERE, PAGE, PAGES, SELFTEST, SWEEPS, TRAINING
from report.sections.page import render
from report.sections.training_figure import draw


def run_record(path: Path) -> RunRecord:
    """Reads a record of `convparity report`.

    Raises:
        ResultsError: if it cannot be read, or is from another command.
    """
    record = load(path)
    if record.profile not in PROFILES or not (record.checks or record.unavailable):
        reason = "it has no checks" if record.profile in PROFILES else f"its profile is `{record.profile}`"
        raise ResultsError(f"{path} is no record of `convparity report`: {reason}")
    return record


def other_records(output: Path) -> dict[str, Any]:
    """The records of other runs for `render`: those in ``output``; those of the checkout where it has none.

    Raises:
        ResultsError: for a record that cannot be read.
    """

    def last(name: str) -> Path | None:
        return next((folder / name for folder in (output, HERE) if (folder / name).exists()), None)

    selftest, calibration, trained, sweeps = map(last, (SELFTEST, CALIBRATION, TRAINING, SWEEPS))
    return {
        "selftest": load(selftest) if selftest else None,
        "calibration": load(calibration) if calibration else None,
        "training": training.load(trained) if trained else None,
        "sweeps": {path.stem: load(path) for path in sorted(sweeps.glob("*.json"))} if sweeps else {},
    }


def publish(results: Path, output: Path, others: dict[str, Any] | None = None) -> Path:
    """Writes REPORT.md, its parts and its figure into ``output``, from a record and `other_records`.

    It returns the front page's path, and removes parts that these records have nothing for.

    Raises:
        ResultsError: if a record cannot be read, or a file cannot be written.
    """
    record = run_record(results)
    others = others or other_records(output)
    pages = render(record, raw=Path(os.path.relpath(results, output)).as_posix(), **others)
    if others["training"]:
        draw(others["training"], output / FIGURE)
    for name in PAGES:
        if name in pages:
            with made(output / name):
                write_text(output / name, pages[name])
        else:
            (output / name).unlink(missing_ok=True)
    return output / PAGE
