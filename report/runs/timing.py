"""From a list of experiments to a record's measurements: processes, resuming, and what to save when."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import frameworks
from common.bench.schedule import measure
from common.config import Config
from common.processes.pool import Worker, WorkerFailed
from common.results.measurements import MemoryUse
from common.results.record import ResultsError, RunRecord, dump, load
from common.session.tasks import Experiment, Task, task
from report.runs.runner import Runner, costed
from report.text import milliseconds

PROCESSES = 2  # of each configuration, to know what one process differs from another


def threads(config: Config, usual: int) -> int | None:
    """How many a configuration's process is given; None leaves it to the framework."""
    return None if config.threads == "unset" else usual if config.threads == "usual" else int(config.threads)


class Fleet:
    """The processes of an experiment, kept for the next one if that has the same configurations."""

    def __init__(self, usual: int, timeout: float, processes: int) -> None:
        self._usual, self._timeout, self._processes = usual, timeout, processes
        self._workers: dict[tuple[Config, bool, int], Worker] = {}
        self.environments: dict[Config, dict[str, str]] = {}  # what each said when it started

    def ready(self, experiment: Experiment) -> list[tuple[Config, Worker]]:
        """The experiment's processes; they start all at once when first asked for."""
        x64 = experiment.case.dtype == "float64"
        keys = [(config, x64, number) for number in range(self._processes) for config in experiment.configs]
        for key in self._workers.keys() - set(keys):
            self._workers.pop(key).stop()
        new = [key for key in keys if key not in self._workers]
        self._workers |= {key: self._worker(key[0], x64) for key in new}
        for key in new:
            with contextlib.suppress(WorkerFailed):  # which it will say again when it is asked for more
                self._workers[key].post("environment")
        for key in new:
            with contextlib.suppress(WorkerFailed):
                self.environments[key[0]] = self._workers[key].collect()
                self._workers[key].pause()
        return [(key[0], self._workers[key]) for key in keys]

    def _worker(self, config: Config, x64: bool) -> Worker:
        module = frameworks.module(config.backend)
        number = threads(config, self._usual)
        return Worker(config.label, module, number, self._timeout, x64, allocator=config.allocator)

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.stop()


@contextlib.contextmanager
def fleet(run: Runner, processes: int) -> Iterator[Fleet]:
    """A fleet that is ended on the way out."""
    found = Fleet(run.threads, run.timeout, processes)
    try:
        yield found
    finally:
        found.stop()


def peaks(run: Runner) -> None:
    """Measures what the machine does at best, in a process of its own."""
    run.progress.say("what the machine does at best")
    worker = Worker("machine", "numpy", run.threads, run.timeout, entry="common.bench.roof")
    try:
        run.record.peaks = worker.ask("peaks")
    except WorkerFailed as error:
        run.lose(worker, "", "peaks", error)
    finally:
        worker.stop()


def time_all(
    run: Runner,
    experiments: Sequence[Experiment],
    budget: float,
    processes: int = PROCESSES,
    memory: bool = False,
    save: Callable[[RunRecord], None] = lambda record: None,
) -> None:
    """Times experiments one by one for about ``budget`` seconds each, ``save`` after each; see `measure`.

    In new processes: after the training of the checks Paddle's convolutions took three times as long in the old.
    """
    for worker in run.workers:
        worker.stop()
    if run.record.peaks is None:
        peaks(run)
    with fleet(run, processes) as workers:
        for experiment in experiments:
            start = time.monotonic()
            _forget(run.record, experiment)
            if experiment.case.id not in {cost.case for cost in run.record.costs}:
                run.record.costs.append(costed(experiment.case))
            run.progress.say(f"{experiment.title}: the reference")
            work = task(experiment.case, experiment.mode)
            ready = workers.ready(experiment)
            for config, environment in workers.environments.items():
                run.record.backends.setdefault(config.place, environment)
            measurements, lost = measure(experiment, work, ready, budget, run.progress.say)
            run.record.measurements += measurements
            run.record.unavailable += lost
            if memory:
                _weigh(run, experiment, work)
            run.record.timed_seconds[experiment.title] = time.monotonic() - start
            medians = ", ".join(f"{m.config.label} {milliseconds(m.median)} ms" for m in measurements)
            run.progress.step(f"time {experiment.title}: {medians or 'nothing'}")
            for item in lost:
                run.progress.note(f"[{experiment.title} / {item.label}] {item.stage}: {item.reason}")
            save(run.record)


def _weigh(run: Runner, experiment: Experiment, work: Task) -> None:
    """Measures the memory of one call of every configuration that could be timed, each in a new process."""
    lost = {item.config for item in run.record.unavailable if item.group == experiment.group}
    for config in experiment.configs:
        if config in lost:
            continue
        run.progress.say(f"{experiment.title}: memory of {config.label}")
        with fleet(run, 1) as workers:
            ((_, worker),) = workers.ready(replace(experiment, configs=(config,)))
            try:
                with worker.turn():
                    worker.ask("prepare", work, config)
                    run.record.memory.append(MemoryUse(*experiment.group, config, *worker.ask("memory")))
            except WorkerFailed as error:
                run.record.unavailable.append(experiment.lost(config, "memory", error))


def _forget(record: RunRecord, experiment: Experiment) -> None:
    """Takes out what an earlier, incomplete attempt has left."""
    record.measurements = [item for item in record.measurements if item.group != experiment.group]
    record.memory = [item for item in record.memory if item.group != experiment.group]
    record.unavailable = [item for item in record.unavailable if item.group != experiment.group]


def left(record: RunRecord, experiments: Sequence[Experiment]) -> list[Experiment]:
    """The experiments that the record does not have, or of which a process died or hung."""
    found: dict[tuple[str, str, str], set[Config | None]] = {}
    for item in (*record.measurements, *record.unavailable):
        found.setdefault(item.group, set()).add(item.config)
    died = {item.group for item in record.unavailable if item.died}
    return [e for e in experiments if e.group in died or not found.get(e.group, set()).issuperset(e.configs)]


def resumed(path: Path, environment: dict[str, str]) -> RunRecord | None:
    """What a file already holds of this run; None if there is no file.

    Raises:
        ResultsError: if it cannot be read, or is of another machine, version or commit.
    """
    if not path.exists():
        return None
    record = load(path)
    for name, value in environment.items():
        if name != "date" and record.environment.get(name) != value:
            theirs = record.environment.get(name, "not said")
            differs = f"{path} is of a run with {name} `{theirs}`, this one has `{value}`"
            raise ResultsError(f"{differs}; name another file with --json")
    return record


class Saver:
    """Writes the record after each experiment; what cannot be written now is tried again after the next."""

    def __init__(self, path: Path | None, note: Callable[[str], None]) -> None:
        self._path, self._note = path, note

    def __call__(self, record: RunRecord) -> None:
        if self._path:
            try:
                dump(record, self._path)
            except ResultsError as error:
                self._note(f"{error}; it will be tried again after the next case")
