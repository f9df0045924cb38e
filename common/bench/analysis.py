"""The results that follow from one run's times, each computed once, when it is first asked for."""

import math
from collections.abc import Callable
from functools import cached_property

from common.bench import roof, statistics
from common.bench.ratio import Ratio
from common.bench.statistics import Spread
from common.results.measurements import Measurement
from common.results.record import RunRecord

Group = tuple[str, str, str]  # of a table: case, mode, dtype


class Analysis:
    """The analysis of a complete record: it does not see what is added later."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.costs = {cost.case: cost for cost in record.costs}
        self._ratios: dict[tuple[Callable[..., Ratio], int, int, int], Ratio] = {}
        self._spreads: dict[Group, Spread] = {}
        self._among: dict[Group, dict[tuple[int, int], Ratio]] = {}

    def spread(self, group: Group) -> Spread:
        """The A/A spread of one table."""
        if group not in self._spreads:
            self._spreads[group] = statistics.spread(self.tables[group])
        return self._spreads[group]

    @property
    def crowded(self) -> list[Measurement]:
        """The rows that other processes disturbed."""
        return [row for row in self.record.measurements if row.crowded]

    @cached_property
    def tables(self) -> dict[Group, list[Measurement]]:
        """Every table's rows, the fastest first; empty if nothing of the table could be timed."""
        tried = [*self.record.measurements, *(item for item in self.record.unavailable if item.config)]
        rows: dict[Group, list[Measurement]] = {item.group: [] for item in tried}
        for row in sorted(self.record.measurements, key=lambda row: row.median):
            rows[row.group].append(row)
        return rows

    def ratio(self, one: Measurement, other: Measurement, pairs: int = 1) -> Ratio:
        """Time of one row over that of another of its table; see `statistics.ratio`."""
        return self._once(statistics.ratio, one, other, self.spread(one.group), pairs)

    def unpaired(self, one: Measurement, other: Measurement) -> Ratio:
        """Time of one row over that of a row of another table; see `statistics.unpaired`."""
        return self._once(statistics.unpaired, one, other, (self.spread(one.group), self.spread(other.group)), 1)

    def _once(
        self, compare: Callable[..., Ratio], one: Measurement, other: Measurement, noise: object, pairs: int
    ) -> Ratio:
        key = compare, id(one), id(other), pairs
        if key not in self._ratios:
            self._ratios[key] = compare(one, other, noise, pairs)
        return self._ratios[key]

    def ratios(self, group: Group) -> dict[tuple[int, int], Ratio]:
        """All ordered pairs of a table's rows, by their places in `tables`."""
        if group not in self._among:
            self._among[group] = statistics.ratios(self.tables[group], self.spread(group))
        return self._among[group]

    def ranks(self, group: Group) -> list[tuple[int, int]]:
        """The best and the worst place that each row of a table may have."""
        return statistics.ranks(self.tables[group], self.ratios(group))

    def twins(self, group: Group) -> list[float]:
        """How many times longer the slower process of one configuration took than the faster, for all pairs."""
        return [math.exp(abs(apart)) for row in self.tables[group] for apart in statistics.twins(row)]

    def bound(self, group: Group) -> float | None:
        """Seconds that the machine needs at best; for float32, in which its peak was measured."""
        case, mode, dtype = group
        cost, peaks = self.costs.get(case), self.record.peaks
        return roof.bound(cost, mode, peaks) if cost and peaks and dtype == "float32" else None
