"""Two runs of the same measurements: what became slower or faster, and what else differs between them.

Rounds of two runs have nothing in common, so nothing is paired (`statistics.unpaired`). The A/A spread is that of the
twins of both, and the intervals of all rows hold together (Bonferroni): 1 in 20 pairs of runs of the same code has a
difference. The intervals do not cover a machine that was slower as a whole during one run; `Diff.clock` shows that.
"""

import math
from dataclasses import dataclass

import numpy as np

from common.bench.statistics import Ratio, spread, unpaired
from common.results.measurements import Measurement
from common.results.record import RunRecord

MACHINE = ("cpu", "processors", "threads a framework", "system", "allocator")
REGRESSION, IMPROVEMENT, TIE = "regression", "improvement", "tie"


@dataclass(frozen=True)
class Change:
    """One row that both runs have: the new time over the old."""

    old: Measurement
    new: Measurement
    ratio: Ratio

    @property
    def verdict(self) -> str:
        if not self.ratio.called:
            return TIE
        return REGRESSION if self.ratio.value > 1 else IMPROVEMENT


@dataclass(frozen=True)
class Diff:
    """Two runs: rows that both have, rows that only one has, and the fields of where they ran that differ."""

    changes: list[Change]
    only_old: list[Measurement]
    only_new: list[Measurement]
    environment: list[tuple[str, str, str]]  # field, old, new
    clock: float  # time of a fixed piece of work without any framework, in the new run over the old

    @property
    def regressions(self) -> list[Change]:
        return [change for change in self.changes if change.verdict == REGRESSION]


def same_machine(old: RunRecord, new: RunRecord) -> bool:
    """Whether all that times depend on apart from the code is the same: MACHINE."""
    return all(old.environment.get(name) == new.environment.get(name) for name in MACHINE)


def environments(old: RunRecord, new: RunRecord) -> list[tuple[str, str, str]]:
    """The fields of the environments, and of the backends that both runs have, that differ; "" if it is missing."""
    pairs = [("", old.environment, new.environment)]
    pairs += [(f"{name}: ", old.backends[name], new.backends[name]) for name in old.backends if name in new.backends]
    return [
        (prefix + name, one.get(name, ""), other.get(name, ""))
        for prefix, one, other in pairs
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def diff(old: RunRecord, new: RunRecord) -> Diff:
    """Compares the measurements of two runs that have the same key (`Measurement.key`)."""
    before = {row.key: row for row in old.measurements}
    after = {row.key: row for row in new.measurements}
    shared = [key for key in before if key in after]
    noise = spread([*old.measurements, *new.measurements])
    return Diff(
        [Change(before[key], after[key], unpaired(after[key], before[key], noise, len(shared))) for key in shared],
        [row for key, row in before.items() if key not in after],
        [row for key, row in after.items() if key not in before],
        environments(old, new),
        _clock(new) / _clock(old),
    )


def _clock(record: RunRecord) -> float:
    times = [seconds for row in record.measurements for process in row.processes for seconds in process.clock]
    return float(np.median(times)) if times else math.nan
