"""The results of timing: raw samples of each process, the memory of a call, and the machine's best."""

import math
from dataclasses import dataclass, field

import numpy as np

from common.config import Config
from common.names import spelled

# What a quiet machine does not have, as the mean of a row, for Linux counts idle time in hundredths of a second and
# single samples scatter. OTHERS: the share of its processors that others used. LATE: seconds in a second that its ready
# threads waited for others: one of many threads that waits holds up all, but is a small share of many processors.
OTHERS, LATE = 0.1, 0.3


@dataclass(frozen=True)
class Samples:
    """One process's times, one sample a round: seconds a call, wall and processor, over ``calls`` calls.

    ``stolen`` is the share of a sample in which the hypervisor took a processor away (``/proc/stat``); ``clock`` has
    the seconds of a fixed piece of work just before it, which tell how fast the processor was. ``others``,
    ``waited`` and ``pressure`` tell of other processes during a sample (`common.processes.others.Crowd`); empty if not
    known. ``processors`` is how many this process may run on; 0 if not known.
    """

    setup_seconds: float
    first_call_seconds: float
    calls: int
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    stolen: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    pressure: list[float] = field(default_factory=list)
    processors: int = 0


@dataclass(frozen=True)
class Measurement:
    """Times of one case in one mode and configuration, from one or more processes that took turns."""

    case: str
    block: str
    mode: str
    dtype: str
    config: Config
    device: str
    processes: list[Samples]

    def check(self) -> None:
        """Raises ValueError unless every process has samples, and all their numbers are such as a clock gives."""
        if not self.processes:
            raise ValueError(f"{spelled(self.case)} has no processes")
        for process in self.processes:
            samples = len(process.seconds)
            once, at_will = (process.cpu_seconds, process.rounds), (process.stolen, process.clock)
            if not samples or {len(values) for values in once} != {samples}:
                raise ValueError(f"{spelled(self.case)}: `seconds`, `cpu_seconds` and `rounds` differ in length")
            if not {len(values) for values in at_will} <= {0, samples}:
                raise ValueError(f"{spelled(self.case)}: `stolen` or `clock` differs in length from `seconds`")
            rest = [process.setup_seconds, process.first_call_seconds, *process.cpu_seconds, *process.stolen]
            if not all(0 < x < math.inf for x in (*process.seconds, *process.clock)) or not all(
                map(math.isfinite, rest)
            ):
                raise ValueError(f"{spelled(self.case)}: a time is not a number, or not positive")

    @property
    def backend(self) -> str:
        return self.config.backend

    @property
    def key(self) -> tuple[str, str, str, Config]:
        """What two runs must have in common to be compared."""
        return self.case, self.mode, self.dtype, self.config

    @property
    def group(self) -> tuple[str, str, str]:
        """Measurements of one group were interleaved, and stand in one table."""
        return self.case, self.mode, self.dtype

    @property
    def seconds(self) -> list[float]:
        return [seconds for process in self.processes for seconds in process.seconds]

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        low, high = np.quantile(self.seconds, [0.25, 0.75])
        return float(low), float(high)

    @property
    def threads_used(self) -> float:
        return float(sum(sum(p.cpu_seconds) for p in self.processes) / np.sum(self.seconds))

    def share(self, name: str) -> float:
        """The mean of ``others``, ``waited`` or ``pressure`` over the time of all samples; 0 if it is not known."""
        known = [process for process in self.processes if getattr(process, name)]
        shares = [share for process in known for share in getattr(process, name)]
        weights = [seconds * process.calls for process in known for seconds in process.seconds]
        return float(np.average(shares, weights=weights)) if known else 0.0

    @property
    def late(self) -> float:
        """Seconds in a second that its ready threads waited for others, at most: not longer than the others ran.

        Its own threads may be more than its processors. For each other they wait on a quiet machine too.
        """
        processors = max((process.processors for process in self.processes), default=0)
        return max(0.0, min(self.share("waited"), processors * self.share("others")))

    @property
    def crowded(self) -> bool:
        """Whether other processes disturbed it: then its times say nothing of it."""
        return self.share("others") > OTHERS or self.late > LATE

    @property
    def setup_seconds(self) -> float:
        return float(np.median([process.setup_seconds for process in self.processes]))

    @property
    def first_call_seconds(self) -> float:
        return float(np.median([process.first_call_seconds for process in self.processes]))


@dataclass(frozen=True)
class MemoryUse:
    """Bytes that one call adds to those of its process, which has the inputs, weights and compiled code already.

    ``planned`` is the framework's figure: XLA's temporaries and outputs, or an accelerator's allocator.
    """

    case: str
    mode: str
    dtype: str
    config: Config
    peak: int
    planned: int | None = None

    @property
    def group(self) -> tuple[str, str, str]:
        return self.case, self.mode, self.dtype


@dataclass(frozen=True)
class Peaks:
    """What the machine does at best: FLOP/s of a float32 matrix product, and bytes/s of copies by bytes copied.

    ``millisecond`` is the measured seconds of a call that spins for 1 ms.
    """

    flops: float
    copy: list[tuple[int, float]]
    millisecond: float | None = None

    def bandwidth(self, size: int) -> float:
        """Bytes a second, read and written together, of the copy that is nearest in size."""
        return min(self.copy, key=lambda item: abs(np.log(item[0] / max(size, 1))))[1]
