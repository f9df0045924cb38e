"""Two runs of the same measurements: what became slower or faster, and what else differs between them.

Rounds of two runs have nothing in common, so nothing is paired (`statistics.unpaired`). Each row has the A/A spread of
its table in either run, and the intervals of all rows hold together (Bonferroni).

The machine drifts between two runs, and from table to table: all rows of a table then take longer. Nobody can tell that
from a change of all these rows, so every interval holds in both cases. It reaches from the row's own change to its
change against the other rows of its table. A row that is alone in its table has no other; its interval has the drift
of the other tables instead, and without any of them nothing is known.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.bench.analysis import Analysis, Group
from common.bench.ratio import Ratio
from common.bench.statistics import CONFIDENCE, half_width_of, unpaired
from common.config import Config
from common.results.measurements import Measurement
from common.results.record import RunRecord
from common.results.writing import ResultsError

MACHINE = ("cpu", "processors", "threads a framework", "system", "allocator")
REGRESSION, IMPROVEMENT, TIE = "regression", "improvement", "tie"
Key = tuple[str, str, str, Config]
DRIFT, DISTURBED, UNKNOWN = "as its whole table", "disturbed", "not known"


@dataclass(frozen=True)
class Change:
    """One row that both runs have: the new time over the old, and the same if the machine did not drift (``still``)."""

    old: Measurement
    new: Measurement
    ratio: Ratio
    still: Ratio

    @property
    def verdict(self) -> str:
        """DRIFT: it changed as the other rows did, or as the machine may have."""
        if self.old.crowded or self.new.crowded:
            return DISTURBED
        if not self.ratio.known:
            return UNKNOWN
        if not self.ratio.called:
            return DRIFT if self.still.called else TIE
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
    """Compares the measurements of two runs that have the same key (`Measurement.key`).

    Raises:
        ResultsError: if they have none in common.
    """
    before, after = ({row.key: row for row in run.measurements} for run in (old, new))
    if not (shared := [key for key in before if key in after]):
        counts = f"{len(before)} and {len(after)}"
        raise ResultsError(
            f"the runs have {counts} rows, none of them in common; a row is a case, mode, dtype and configuration"
        )
    runs = Analysis(new), Analysis(old)
    still = {
        key: unpaired(after[key], before[key], (runs[0].spread(key[:3]), runs[1].spread(key[:3])), len(shared))
        for key in shared
    }
    return Diff(
        [Change(before[key], after[key], _drifted(key, still), still[key]) for key in shared],
        [row for key, row in before.items() if key not in after],
        [row for key, row in after.items() if key not in before],
        environments(old, new),
        _clock(new) / _clock(old),
    )


def _drifted(key: Key, still: Mapping[Key, Ratio]) -> Ratio:
    """A row's change if the machine may have drifted, from the changes of all rows if it did not: see the module."""
    own, tables = still[key], dict[Group, list[Ratio]]()
    for other, change in still.items():
        if other != key and change.known:
            tables.setdefault(other[:3], []).append(change)
    mates = tables.pop(key[:3], [])
    if not mates:
        drifts = [math.log(np.median([change.value for change in table])) for table in tables.values()]
        level = 1 - (1 - CONFIDENCE) / len(still)
        drift = half_width_of(float(np.mean(np.square(drifts))) if drifts else 0.0, len(drifts), level)
        return own.over(Ratio(1.0, math.exp(-drift), math.exp(drift)))
    against = [own.over(mate) for mate in mates]
    low, high = (float(np.median([getattr(ratio, end) for ratio in against])) for end in ("low", "high"))
    return Ratio(own.value, min(own.low, low), max(own.high, high))


def _clock(record: RunRecord) -> float:
    times = [seconds for row in record.measurements for process in row.processes for seconds in process.clock]
    return float(np.median(times)) if times else math.nan
