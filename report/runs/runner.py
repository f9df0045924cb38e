"""From a selection of backends and cases to a RunRecord."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import frameworks
from common.check.judge import expectations
from common.config import Config
from common.faults.injection import Fault, needed
from common.names import UnknownName, advice, known
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.results.record import NOT_INSTALLED, CaseCost, LayerRow, RunRecord, Unavailable
from common.spec.catalogue import CATALOGUE, Case
from common.spec.costs import cost
from report.paths import WRITTEN
from report.runs.places import choose_places
from report.runs.progress import Progress
from report.runs.references import references
from report.sections.selftest import missed

Named = TypeVar("Named", Case, Fault)


class NothingToRun(RuntimeError):
    """A framework that was named is not installed, or none is."""


def choose_backends(names: Sequence[str], engines: bool = False) -> tuple[list[str], list[Unavailable]]:
    """The backends to run, and those that are not installed; a backend that was named must be installed.

    With ``engines``, engines may be named too; they are never chosen by default.

    Raises:
        UnknownName: for a name that is not in the table.
        NothingToRun: if one that was named is not installed, or none is.
    """
    choices = [*frameworks.BACKENDS, *(frameworks.ENGINES if engines else ())]
    wanted = list(dict.fromkeys(known("backend", name, choices) for name in names)) or list(frameworks.BACKENDS)
    reasons = {name: reason for name in wanted if (reason := frameworks.missing(name))}
    if reasons and (names or len(reasons) == len(wanted)):
        raise NothingToRun("; ".join(reasons.values()))
    absent = [Unavailable(name, "", NOT_INSTALLED, reason) for name, reason in reasons.items()]
    return [name for name in wanted if name not in reasons], absent


def choose(items: Sequence[Named], words: Sequence[str], kind: str, choices: Sequence[str]) -> list[Named]:
    """The items whose id contains one of the words; all without words.

    Raises:
        UnknownName: for a word that no id contains; with the nearest of ``choices``, or with all of this ``kind``.
    """
    for word in words:
        if not any(word in item.id for item in items):
            raise UnknownName(f"nothing to run matches `{word}`; {advice(word, choices, f'the {kind} are')}")
    return [item for item in items if not words or any(word in item.id for word in words)]


def choose_cases(cases: Sequence[Case], words: Sequence[str]) -> list[Case]:
    """`choose` among cases, whose ids are ``<block>-<case>``."""
    return choose(cases, words, "blocks", list(CATALOGUE))


def costed(case: Case) -> CaseCost:
    """A case's cost from its graph."""
    return CaseCost(
        **asdict(cost(case.spec, case.input_shape)),
        case=case.id,
        block=case.spec.family,
        input_shape=case.input_shape,
        output_shape=case.spec.output_shape(case.input_shape),
    )


def effort(case: Case) -> float:
    """About how many seconds a check of the case takes in four frameworks on two cores, if the oracle is kept.

    By hand from the times of tests/test_parity.py: most of it is compiling, so it grows with the layers.
    """
    return 1 + len(case.spec.nodes) / (6 if case.trained else 12)


@dataclass
class Runner:
    """Worker processes, one a backend, and the record that they fill."""

    workers: list[Worker]
    record: RunRecord
    progress: Progress
    threads: int
    timeout: float | None
    places: dict[str, Config]  # by the name of a worker, what it runs and where
    save: Callable[[object], None] = lambda record: None

    def lose(self, worker: Worker, case: str, stage: str, error: WorkerFailed) -> None:
        self.record.unavailable.append(Unavailable(worker.name, case, stage, str(error), died=error.died))

    def describe(self) -> None:
        """Starts all workers at once and records their environments; drops those that cannot start."""
        self.progress.say(f"starting {', '.join(worker.name for worker in self.workers)}")
        self.workers[:] = [worker for worker in self.workers if self.post(worker, "", "start", "environment")]
        for worker in list(self.workers):
            try:
                self.record.backends[worker.name] = worker.collect()
            except WorkerFailed as error:
                self.lose(worker, "", "start", error)
                self.workers.remove(worker)
        self.progress.begin()

    def check(self, cases: Sequence[Case], variant: str = "reference") -> None:
        """Checks all cases in all workers at once, and saves after each; a thread computes the references ahead."""
        with references(cases) as expectations_of:
            for case, expected in zip(cases, expectations_of, strict=True):
                if isinstance(expected, WorkerFailed):
                    for worker in self.workers:
                        self.lose(worker, case.id, "reference", expected)
                    self.progress.step(f"check {case.id}: {expected}")
                    continue
                for worker in self.workers:
                    worker.precise(case.dtype == "float64")
                arguments = {name: (case, expected, variant, at.device) for name, at in self.places.items()}
                answers = self._ask_all(case.id, "check", arguments)
                results = [result for checks, _ in answers for result in checks]
                self.record.checks += results
                self.record.unavailable += [item for _, absent in answers for item in absent]
                failed = [result for result in results if not result.passed]
                agreed = {r.backend for r in results} - {r.backend for r in failed}
                self.progress.step(
                    f"check {case.id}: {', '.join(sorted(agreed)) or 'none'} agree{'s' * (len(agreed) < 2)}"
                )
                for result in failed:
                    self.progress.note(result.message)
                self.save(self.record)

    def selftest(self, faults: Sequence[Fault]) -> None:
        """Puts each fault into all workers at once, records whether the check catches it, and saves."""
        for fault in faults:
            expected = needed(fault, expectations(fault.case))
            arguments = {
                name: (frameworks.module(at.backend, "faults"), fault.id, expected, at.device)
                for name, at in self.places.items()
            }
            results = self._ask_all(fault.id, "selftest", arguments)
            self.record.faults += results
            caught = [result.backend for result in results if result.caught]
            self.progress.step(f"fault {fault.id}: caught in {', '.join(caught) or 'none'}")
            for result in results:
                if not result.caught:
                    self.progress.note(missed(result))
            self.save(self.record)

    def _ask_all(self, case: str, request: str, arguments: Mapping[str, tuple[object, ...]]) -> list[Any]:
        """Asks all workers at once, each with its own arguments; returns the answers, without those that fail."""
        answers = []
        for worker in [w for w in self.workers if self.post(w, case, request, request, *arguments[w.name])]:
            try:
                answers.append(worker.collect())
            except WorkerFailed as error:
                self.lose(worker, case, request, error)
        return answers

    def post(self, worker: Worker, case: str, stage: str, request: str, *arguments: object) -> bool:
        """Sends a request, whose answer `Worker.collect` gives; returns whether it could be sent."""
        try:
            worker.post(request, *arguments)
        except WorkerFailed as error:
            self.lose(worker, case, stage, error)
            return False
        return True

    def trace(self, cases: Sequence[Case], variant: str = "reference") -> Iterator[tuple[str, list[LayerRow]]]:
        """Every layer of every case in every worker, under a title."""
        for case in cases:
            for worker in self.workers:
                worker.precise(case.dtype == "float64")
                device = self.places[worker.name].device
                try:
                    yield f"{case.id} / {worker.name}", worker.ask("trace", case, variant, device)
                except WorkerFailed as error:
                    self.lose(worker, case.id, "trace", error)
            self.progress.step(f"trace {case.id}")


@contextlib.contextmanager
def runner(
    backends: Sequence[str],
    threads: int,
    work: Sequence[float],
    profile: str = "",
    timeout: float | None = None,
    x64: bool = False,
    devices: Sequence[str] = (),
) -> Iterator[Runner]:
    """Workers for the backends on the devices; they are stopped when the context ends, also after an error.

    ``work`` has about how many seconds each step takes: see `Progress`.

    Raises:
        UnknownName, NothingToRun: as `choose_backends` and `choose_places` do.
    """
    names, absent = choose_backends(backends, engines=True)
    places = {config.place: config for config in choose_places(names, devices)}
    record = RunRecord(machine.environment(threads, WRITTEN), {}, profile, unavailable=absent)
    workers = [Worker(name, frameworks.module(at.backend), threads, timeout, x64) for name, at in places.items()]
    start = time.monotonic()
    with Progress(work) as progress:
        run = Runner(list(workers), record, progress, threads, timeout, places)
        try:
            yield run
        finally:
            run.record.seconds += time.monotonic() - start  # a continued run has seconds already
            for worker in workers:
                worker.stop()
