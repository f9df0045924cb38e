"""From a list of experiments to a record's measurements: processes, resuming and saving."""

import contextlib
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import frameworks
from common.bench.schedule import measure
from common.config import Config
from common.processes.others import around
from common.processes.pool import Worker, WorkerFailed
from common.results.measurements import OTHERS, MemoryUse
from common.results.record import RunRecord
from common.session.tasks import Experiment, Task, TooLarge, task
from report.runs.runner import Runner, costed
from report.text import milliseconds

# Of each configuration. With two, the intervals of four equal configurations are twice as wide (median of 8,000
# simulated tables). The third takes a start of about 3 seconds a configuration; of rounds MIN_ROUNDS is 7 and not 10
# since then, so that a table needs as many turns as before.
PROCESSES = 3


def threads(config: Config, usual: int) -> int | None:
    """The number of threads for a configuration's process; None leaves it to the framework."""
    return None if config.threads == "unset" else usual if config.threads == "usual" else int(config.threads)


class Fleet:
    """The processes of an experiment, kept for the next one if that has the same configurations."""

    def __init__(self, usual: int, timeout: float | None, processes: int) -> None:
        self._usual, self._timeout, self._processes = usual, timeout, processes
        self._workers: dict[tuple[Config, bool, int], Worker] = {}
        self.environments: dict[Config, dict[str, str]] = {}  # what each process reported when it started

    def ready(self, experiment: Experiment) -> list[tuple[Config, Worker]]:
        """The experiment's processes; those that do not run yet start all at once."""
        x64 = experiment.case.dtype == "float64"
        keys = [(config, x64, number) for number in range(self._processes) for config in experiment.configs]
        for key in self._workers.keys() - set(keys):
            self._workers.pop(key).stop()
        new = [key for key in keys if key not in self._workers]
        self._workers |= {key: self._worker(key[0], x64) for key in new}
        for key in new:
            with contextlib.suppress(WorkerFailed):  # the next request reports the same failure
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
    """A fleet that is stopped when the context ends."""
    workers = Fleet(run.threads, run.timeout, processes)
    try:
        yield workers
    finally:
        workers.stop()


def peaks(run: Runner) -> None:
    """Measures the machine's peak rates, in a process of its own."""
    run.progress.say("the machine's peak rates")
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
) -> None:
    """Times experiments one by one for about ``budget`` seconds each, and saves after each; see `measure`.

    This starts new processes: Paddle's convolutions took three times as long in processes that had trained before.
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
            try:
                work = task(experiment.case, experiment.mode)
            except TooLarge as error:
                reason = WorkerFailed(str(error))
                measurements, lost = [], [experiment.lost(config, "reference", reason) for config in experiment.configs]
            else:
                ready = workers.ready(experiment)
                for config, environment in workers.environments.items():
                    run.record.backends.setdefault(config.place, environment)
                warn(run, experiment)
                measurements, lost = measure(experiment, work, ready, budget, run.progress.say)
                if memory:
                    _weigh(run, experiment, work, {item.config for item in lost})
            run.record.measurements += measurements
            run.record.unavailable += lost
            run.record.timed_seconds[experiment.title] = time.monotonic() - start
            medians = ", ".join(f"{m.config.label} {milliseconds(m.median)} ms" for m in measurements)
            run.progress.step(f"time {experiment.title}: {medians or 'nothing'}")
            for item in lost:
                run.progress.note(f"[{experiment.title} / {item.label}] {item.stage}: {item.reason}")
            run.save(run.record)


def warn(run: Runner, experiment: Experiment) -> None:
    """Says that other processes use the machine just before a table, while our own are stopped."""
    crowd = around()
    if crowd.others is not None and crowd.others > OTHERS:
        pressure = "" if crowd.pressure is None else f" (CPU pressure {crowd.pressure:.0%})"
        run.progress.note(f"{experiment.title}: other processes use {crowd.others:.0%} of the processors{pressure}")


def _weigh(run: Runner, experiment: Experiment, work: Task, lost: Collection[Config | None]) -> None:
    """Measures the memory of one call of every configuration that could be timed, each in a new process."""
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
    """Removes the rows of an earlier, incomplete attempt."""
    record.measurements = [item for item in record.measurements if item.group != experiment.group]
    record.memory = [item for item in record.memory if item.group != experiment.group]
    record.unavailable = [item for item in record.unavailable if item.group != experiment.group]
