"""When each process is measured: rounds in which every process has one turn, in a new order each time.

Drift of the machine then affects all processes alike, and a ratio can be taken round by round.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from common.bench import statistics
from common.config import Config
from common.processes.machine import Sample
from common.processes.pool import Worker, WorkerFailed
from common.results.measurements import Measurement, Samples
from common.results.record import Unavailable
from common.session.tasks import Experiment, Task

SAMPLE_SECONDS = 0.03  # a sample lasts at least this long: short calls are repeated
LONG_CALL = 0.08  # seconds: one call this long fills the caches again after another process's turn
MIN_ROUNDS, MAX_ROUNDS = 7, 60
HALF_WIDTH = 0.02  # of the interval of a ratio, from the rounds alone: timing stops when all are narrower


@dataclass
class _Turn:
    """One process's share of an experiment."""

    config: Config
    worker: Worker
    setup: float
    first_call: float
    device: str
    warm: int = 3
    calls: int = 1
    answers: list[Sample] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)

    def calibrate(self) -> float:
        """Sets calls a sample; returns the seconds that one turn will take."""
        once = min(self.worker.ask("sample", 1, 1)[0] for _ in range(2))
        self.calls = max(1, math.ceil(SAMPLE_SECONDS / once))
        self.warm = 1 if once >= LONG_CALL else 3
        return once * (self.warm + self.calls)

    def sample(self, number: int) -> None:
        self.answers.append(self.worker.ask("sample", self.warm, self.calls))
        self.rounds.append(number)

    @property
    def samples(self) -> Samples:
        columns = list(zip(*self.answers, strict=True)) or [()] * len(Sample._fields)
        seconds, cpu, *rest, processors = ([] if None in column else list(column) for column in columns)
        number = max(processors, default=0)
        return Samples(self.setup, self.first_call, self.calls, seconds, cpu, self.rounds, *rest, processors=number)


def measure(
    experiment: Experiment,
    task: Task,
    workers: Sequence[tuple[Config, Worker]],
    budget: float,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[list[Measurement], list[Unavailable]]:
    """Times a task in all workers, until every ratio is known to HALF_WIDTH or for about ``budget`` seconds.

    It runs at least MIN_ROUNDS rounds. A configuration may have several workers. Every result is checked before the
    first and after the last round. If a worker fails, the row of its configuration is lost; the others go on.
    """
    lost: dict[Config, Unavailable] = {}
    turns: list[_Turn] = []
    title = experiment.title

    def attempt(config: Config, worker: Worker, stage: str, action: Callable[[], float | None]) -> float:
        if config in lost:
            return 0.0
        try:
            with worker.turn():
                return action() or 0.0
        except WorkerFailed as error:
            turns[:] = [turn for turn in turns if turn.config != config]
            lost[config] = experiment.lost(config, stage, error)
            return 0.0

    def prepare(config: Config, worker: Worker) -> None:
        turns.append(_Turn(config, worker, *worker.ask("prepare", task, config)))

    def verify(turn: _Turn) -> None:
        if problem := turn.worker.ask("wrong"):
            raise WorkerFailed(f"its result was right before it was timed and wrong after: {problem}")

    for config, worker in workers:
        say(f"{title}: {config.label} builds")
        attempt(config, worker, "build", lambda: prepare(config, worker))  # noqa: B023
    each_round = sum(attempt(turn.config, turn.worker, "timing", turn.calibrate) for turn in list(turns))
    rng = random.Random(f"{experiment.group}")
    rounds = int(min(MAX_ROUNDS, max(MIN_ROUNDS, budget / each_round))) if each_round else 0
    for number in range(rounds):
        say(f"{title}: round {number + 1} of {rounds} at most")
        for turn in rng.sample(turns, len(turns)):
            attempt(turn.config, turn.worker, "timing", lambda: turn.sample(number))  # noqa: B023
        if number + 1 >= MIN_ROUNDS and _known(turns):
            break
    for turn in list(turns):
        attempt(turn.config, turn.worker, "after timing", lambda: verify(turn))  # noqa: B023
    return _rows(experiment, turns), list(lost.values())


def _known(turns: Sequence[_Turn]) -> bool:
    """Whether every configuration's ratio to the first is known to HALF_WIDTH."""
    processes: dict[Config, list[Samples]] = {}
    for turn in turns:
        processes.setdefault(turn.config, []).append(turn.samples)
    first, *others = processes.values() or [[]]
    ratios = [statistics.paired(other, first) for other in others]
    return all(ratio.size and statistics.half_width(ratio) <= HALF_WIDTH for ratio in ratios)


def _rows(experiment: Experiment, turns: Sequence[_Turn]) -> list[Measurement]:
    by_config: dict[Config, list[_Turn]] = {}
    for turn in turns:
        by_config.setdefault(turn.config, []).append(turn)
    case, spec = experiment.case, experiment.case.spec
    return [
        Measurement(
            case.id, spec.family, experiment.mode, case.dtype, config, twins[0].device, [t.samples for t in twins]
        )
        for config, twins in by_config.items()
    ]
