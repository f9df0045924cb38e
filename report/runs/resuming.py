"""Going on where a run was interrupted: what its record has already, and saving that as it grows."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from common.config import Config
from common.results.record import RunRecord, dump, load
from common.results.writing import ResultsError
from common.session.tasks import Experiment
from common.spec.catalogue import Case
from report.runs.runner import Runner

CHECKS = ("check", "reference")  # stages


def unchecked(record: RunRecord | None, cases: Sequence[Case]) -> list[Case]:
    """The cases whose check the record does not have, and those at which a process died or hung: their rows go."""
    if record is None:
        return list(cases)
    lost = [item for item in record.unavailable if item.stage in CHECKS]
    died = {item.case for item in lost if item.died}
    record.checks = [row for row in record.checks if row.case not in died]
    record.unavailable = [item for item in record.unavailable if item not in lost or item.case not in died]
    done = {row.case for row in record.checks} | {item.case for item in lost} - died
    return [case for case in cases if case.id not in done]


def adopt(now: RunRecord, before: RunRecord, path: Path) -> None:
    """Checks that the run of a record may go on with these frameworks and this profile.

    Raises:
        ResultsError: if they are others.
    """
    for kind, old, new in (("profile", before.profile, now.profile), ("frameworks", before.backends, now.backends)):
        if old != new:
            raise ResultsError(f"{path} is of a run with {kind} {old}, this one has {new}; begin anew without --resume")


def left(record: RunRecord, experiments: Sequence[Experiment]) -> list[Experiment]:
    """The experiments that the record does not have, and those of which a process died or hung."""
    recorded: dict[tuple[str, str, str], set[Config | None]] = {}
    for item in (*record.measurements, *record.unavailable):
        recorded.setdefault(item.group, set()).add(item.config)
    died = {item.group for item in record.unavailable if item.died}
    return [e for e in experiments if e.group in died or not recorded.get(e.group, set()).issuperset(e.configs)]


def resumed(path: Path, environment: dict[str, str], advice: str = "name another file with --json") -> RunRecord | None:
    """The record that a file already has of this run; None if there is no file. ``advice`` is for another's.

    Raises:
        ResultsError: if it cannot be read, or is of another machine, version or commit.
    """
    if not path.exists():
        return None
    record = load(path)
    for name, value in environment.items():
        if name != "date" and record.environment.get(name) != value:
            recorded = record.environment.get(name, "not recorded")
            differs = f"{path} is of a run with {name} `{recorded}`, this one has `{value}`"
            raise ResultsError(f"{differs}; {advice}")
    return record


@contextlib.contextmanager
def growing(run: Runner, path: Path | None, advice: str = "") -> Iterator[None]:
    """Inside, a run writes its record to a file after each step; if that fails, it tries again after the next one.

    A run that is interrupted says what the file has, and the ``advice``.
    """
    written = False

    def save(record: object) -> None:
        nonlocal written
        if path:
            try:
                dump(record, path)
                written = True
            except ResultsError as error:
                run.progress.note(f"{error}; it will be tried again after the next case")

    run.save = save
    try:
        yield
    except KeyboardInterrupt:
        if written:
            run.progress.note(f"{path} has what is finished{advice}")
        raise
