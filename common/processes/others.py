"""Whether other processes use the machine: what Linux says of processors and of waiting. Elsewhere nothing is known."""

import contextlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


def processors() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _idle() -> float:
    """Seconds in which the processors of this process ran nothing, or were taken by the hypervisor."""
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    rows = [line.split() for line in (PROC / "stat").read_text().splitlines() if line.startswith("cpu")]
    return sum(sum(map(int, (r[4], r[5], r[8]))) for r in rows if r[0] in ours) / os.sysconf("SC_CLK_TCK")


def _waited() -> float:
    """Seconds that the threads of this process, which live now, were ready to run and waited for a processor."""
    total = 0
    for thread in (PROC / "self/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended
            total += int((thread / "schedstat").read_text().split()[1])
    return total / 1e9


def _pressure() -> float:
    """Seconds in which any task of the machine waited for a processor."""
    return int((PROC / "pressure/cpu").read_text().split("\n", 1)[0].rpartition("total=")[2]) / 1e6


def _read(counter: Callable[[], float]) -> float:
    """A counter's value; NaN if this is not Linux, or its kernel does not count that."""
    try:
        return counter()
    except (AttributeError, OSError, IndexError, ValueError):
        return math.nan


@dataclass(frozen=True)
class Crowd:
    """What happened between two looks; None: not known.

    ``others``: the share of the time of this process's processors that other processes used. Linux counts it in
    hundredths of a second, so that of one short time says little. ``waited``: seconds in a second that its threads were
    ready and waited for a processor, all together; for other processes, or for each other if they are more than its
    processors. ``pressure``: the share of the time in which any task of the machine waited.
    """

    others: float | None
    waited: float | None
    pressure: float | None


class Look:
    """The state of the counters now; `since` compares a later state with it."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._idle, self._waited, self._pressure = map(_read, (_idle, _waited, _pressure))

    def since(self) -> Crowd:
        """What happened since this look."""
        now = Look()
        seconds = now._wall - self._wall
        capacity = processors() * seconds
        shares = (
            (capacity - (now._cpu - self._cpu) - (now._idle - self._idle)) / capacity,
            (now._waited - self._waited) / seconds,
            (now._pressure - self._pressure) / seconds,
        )
        return Crowd(*(None if math.isnan(share) else round(share, 4) for share in shares))


def around(seconds: float = 0.2) -> Crowd:
    """What others do while this process sleeps and its workers are stopped."""
    look = Look()
    time.sleep(seconds)
    return look.since()
