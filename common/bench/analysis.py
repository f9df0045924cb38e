"""What one run's times say, each number computed once, when it is first asked for: all that tells of a run reads it."""

import itertools
import math
from collections.abc import Callable
from functools import cached_property

from common.bench import roof, statistics
from common.bench.statistics import Ratio, Spread
from common.results.measurements import Measurement
from common.results.record import RunRecord

Group = tuple[str, str, str]  # of a table: case, mode, dtype


class Analysis:
    """A record that is complete: what is added to it later is not seen."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.costs = {cost.case: cost for cost in record.costs}
        self._ratios: dict[tuple[Callable[..., Ratio], int, int, int], Ratio] = {}
        self._among: dict[Group, dict[tuple[int, int], Ratio]] = {}

    @cached_property
    def spread(self) -> Spread:
        """The A/A spread of the whole run."""
        return statistics.spread(self.record.measurements)

    @cached_property
    def tables(self) -> dict[Group, list[Measurement]]:
        """Every table's rows, the fastest first; those of which nothing could be timed have none."""
        tried = [*self.record.measurements, *(item for item in self.record.unavailable if item.config)]
        found: dict[Group, list[Measurement]] = {item.group: [] for item in tried}
        for row in sorted(self.record.measurements, key=lambda row: row.median):
            found[row.group].append(row)
        return found

    def ratio(self, one: Measurement, other: Measurement, pairs: int = 1) -> Ratio:
        """Time of one row over that of another of its table; see `statistics.ratio`."""
        return self._once(statistics.ratio, one, other, pairs)

    def unpaired(self, one: Measurement, other: Measurement) -> Ratio:
        """Time of one row over that of a row of another table; see `statistics.unpaired`."""
        return self._once(statistics.unpaired, one, other, 1)

    def _once(self, compare: Callable[..., Ratio], one: Measurement, other: Measurement, pairs: int) -> Ratio:
        key = compare, id(one), id(other), pairs
        if key not in self._ratios:
            self._ratios[key] = compare(one, other, self.spread, pairs)
        return self._ratios[key]

    def ratios(self, group: Group) -> dict[tuple[int, int], Ratio]:
        """All ordered pairs of a table's rows, by their places in `tables`."""
        if group not in self._among:
            self._among[group] = statistics.ratios(self.tables[group], self.spread)
        return self._among[group]

    def ranks(self, group: Group) -> list[tuple[int, int]]:
        """The best and the worst place that each row of a table may have."""
        return statistics.ranks(self.tables[group], self.ratios(group))

    def twins(self, group: Group) -> list[float]:
        """How many times longer the slower process of one configuration took than the faster, for all pairs."""
        pairs = [pair for row in self.tables[group] for pair in itertools.pairwise(row.processes)]
        differences = [statistics.paired([one], [other]) for one, other in pairs]
        return [math.exp(abs(float(statistics.middle(d)))) for d in differences if d.size]

    def bound(self, group: Group) -> float | None:
        """Seconds that the machine needs at best; for float32, in which its peak was measured."""
        case, mode, dtype = group
        cost, peaks = self.costs.get(case), self.record.peaks
        return roof.bound(cost, mode, peaks) if cost and peaks and dtype == "float32" else None
