"""When each backend is measured: rounds in which every backend has one turn, in a new order each time.

Drift of the machine then hits all backends alike, and a ratio can be taken round by round.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from common.bench.pool import Worker, WorkerFailed
from common.catalogue import Case
from common.check import expect
from common.results import Measurement, Unavailable

SAMPLE_SECONDS = 0.03  # a sample lasts at least this long: short calls are repeated
LONG_CALL = 0.25  # seconds from which one call brings the caches back after another process had its turn
MIN_ROUNDS, MAX_ROUNDS = 7, 30


@dataclass
class _Turn:
    """One backend's share of a case."""

    worker: Worker
    setup: float
    first_call: float
    device: str
    calls: int = 1
    warm: int = 3
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)

    def calibrate(self, case: Case) -> float:
        """Sets calls a sample; returns the seconds that one turn will take."""
        once = min(self.worker.ask("sample", case.id, 1, 1)[0] for _ in range(3))
        self.calls = max(1, math.ceil(SAMPLE_SECONDS / once))
        self.warm = 1 if once >= LONG_CALL else 3
        return once * (self.warm + self.calls)


def measure(
    case: Case, workers: Sequence[Worker], budget: float, say: Callable[[str], None] = lambda text: None
) -> tuple[list[Measurement], list[Unavailable]]:
    """Times one case in all workers for about ``budget`` seconds, at least MIN_ROUNDS rounds.

    A worker that fails loses its row of this case; the others go on.
    """
    lost: list[Unavailable] = []
    turns: list[_Turn] = []
    expected = expect(case, "photograph" if case.spec.in_channels == 3 else "random")

    def attempt(worker: Worker, stage: str, action: Callable[[], float | None]) -> float:
        try:
            with worker.turn():
                return action() or 0.0
        except WorkerFailed as error:
            turns[:] = [turn for turn in turns if turn.worker is not worker]
            lost.append(Unavailable(worker.name, case.id, stage, str(error)))
            return 0.0

    for worker in workers:
        say(f"{case.id}: {worker.name} builds")
        attempt(worker, "build", lambda: turns.append(_Turn(worker, *worker.ask("prepare", case, expected))))  # noqa: B023
    each_round = sum(attempt(turn.worker, "timing", lambda: turn.calibrate(case)) for turn in list(turns))  # noqa: B023
    rounds = int(min(MAX_ROUNDS, max(MIN_ROUNDS, budget / each_round))) if each_round else 0
    rng = random.Random(case.seed)
    for number in range(rounds):
        say(f"{case.id}: round {number + 1} of {rounds}")
        for turn in rng.sample(turns, len(turns)):

            def sample(turn: _Turn = turn, number: int = number) -> None:
                seconds, cpu = turn.worker.ask("sample", case.id, turn.warm, turn.calls)
                turn.seconds.append(seconds)
                turn.cpu.append(cpu)
                turn.rounds.append(number)

            attempt(turn.worker, "timing", sample)
    measurements = [
        Measurement(
            case.id,
            case.spec.family,
            turn.worker.name,
            turn.device,
            turn.setup,
            turn.first_call,
            turn.calls,
            turn.seconds,
            turn.cpu,
            turn.rounds,
        )
        for turn in turns
    ]
    return measurements, lost
