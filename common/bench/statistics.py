"""Ratios of times with intervals that may be believed, and what may be called a difference.

Two things make the same code seem faster or slower. Within a process, rounds differ; they are paired, so drift of the
machine cancels, and a BCa bootstrap over rounds (Efron, 1987, doi:10.2307/2289144) tells how well their median is
known. Between processes, the same code differs by where its memory lies and how its threads fell: no number of rounds
shows that, so every configuration runs in more than one process, and the ratios of such twins to one another are the
*A/A spread*, which every interval then has in it.

All pairs of a table are compared, the fastest is picked from the same data, and a table has many pairs: so each
interval is at the level 1 - (1 - CONFIDENCE) / pairs (Bonferroni), and all of a table's hold together with CONFIDENCE.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy import stats

from common.measurements import Measurement, Samples

CONFIDENCE = 0.95
RESAMPLES = 4999
Key = TypeVar("Key")


@dataclass(frozen=True)
class Spread:
    """The A/A spread: the standard deviation of one process's effect on log time, from so many pairs of twins."""

    deviation: float
    twins: int

    def half_width(self, level: float, processes: tuple[int, int]) -> float:
        """Of the log ratio of two configurations that ran in so many processes each, by Student's t."""
        if not self.twins:
            return 0.0
        quantile = stats.t.ppf((1 + level) / 2, self.twins)
        return float(quantile * self.deviation * math.sqrt(sum(1 / count for count in processes)))

    @property
    def ratio(self) -> float:
        """The smallest ratio, above 1, of two configurations in two processes each that is more than it."""
        return math.exp(self.half_width(CONFIDENCE, (2, 2)))


@dataclass(frozen=True)
class Ratio:
    """Time over a baseline's, with its interval."""

    value: float
    low: float
    high: float

    @property
    def called(self) -> bool:
        """Whether there is a difference: the interval leaves 1 out."""
        return not self.low <= 1 <= self.high

    @property
    def text(self) -> str:
        """``1.34x [1.29, 1.40]``, or that it is a tie."""
        interval = f"{self.value:.2f}x [{self.low:.2f}, {self.high:.2f}]"
        return interval if self.called else f"tie ({interval})"


def by_round(processes: Sequence[Samples]) -> dict[int, float]:
    """The mean log time of each round in which all processes were timed."""
    logs = [dict(zip(p.rounds, np.log(p.seconds), strict=True)) for p in processes]
    shared = set.intersection(*(set(log) for log in logs)) if logs else set()
    return {number: float(np.mean([log[number] for log in logs])) for number in sorted(shared)}


def paired(one: Sequence[Samples], other: Sequence[Samples]) -> np.ndarray:
    """Log ratios of time, round by round, for the rounds that both have."""
    times, base = by_round(one), by_round(other)
    return np.array([times[number] - base[number] for number in times if number in base])


def spread(measurements: Iterable[Measurement]) -> Spread:
    """The A/A spread from all that ran in more than one process: half the mean square of twins' log ratios."""
    twins = [
        float(np.median(differences))
        for measurement in measurements
        for one, other in itertools.pairwise(measurement.processes)
        if (differences := paired([one], [other])).size
    ]
    return Spread(math.sqrt(np.mean(np.square(twins)) / 2) if twins else 0.0, len(twins))


def within(differences: np.ndarray, level: float) -> tuple[float, float, float]:
    """The median of paired log ratios with its interval from the rounds alone."""
    middle = float(np.median(differences))
    if len(differences) < 3 or np.ptp(differences) == 0:
        return middle, middle, middle
    found = stats.bootstrap(
        (differences,),
        np.median,
        confidence_level=level,
        n_resamples=RESAMPLES,
        vectorized=True,
        method="BCa",
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    if not (math.isfinite(low) and math.isfinite(high)):  # BCa's acceleration is undefined for some ties
        low, high = np.quantile(found.bootstrap_distribution, [(1 - level) / 2, (1 + level) / 2])
    return middle, float(min(low, middle)), float(max(high, middle))


def ratio(one: Measurement, other: Measurement, noise: Spread, pairs: int = 1) -> Ratio:
    """Time of one over the other's, at a level at which ``pairs`` intervals hold together."""
    level = 1 - (1 - CONFIDENCE) / pairs
    middle, low, high = within(paired(one.processes, other.processes), level)
    between = noise.half_width(level, (len(one.processes), len(other.processes)))
    return Ratio(
        math.exp(middle),
        math.exp(middle - math.hypot(middle - low, between)),
        math.exp(middle + math.hypot(high - middle, between)),
    )


def unpaired(one: Measurement, other: Measurement, noise: Spread) -> Ratio:
    """Time of one over the other's where the two did not take turns: the rounds' drift is then in the interval."""
    logs = [np.log(measurement.seconds) for measurement in (one, other)]
    difference = float(np.median(logs[0]) - np.median(logs[1]))
    rounds = math.hypot(*(half_width(log) for log in logs))
    width = math.hypot(rounds, noise.half_width(CONFIDENCE, (len(one.processes), len(other.processes))))
    return Ratio(math.exp(difference), math.exp(difference - width), math.exp(difference + width))


def ratios(table: Sequence[Measurement], noise: Spread) -> dict[tuple[int, int], Ratio]:
    """All ordered pairs of a table's rows, by index: time of the first over that of the second."""
    count = math.comb(len(table), 2)
    found = {}
    for i, j in itertools.combinations(range(len(table)), 2):
        found[i, j] = this = ratio(table[i], table[j], noise, count)
        found[j, i] = Ratio(1 / this.value, 1 / this.high, 1 / this.low)
    return found


def ranks(table: Sequence[Measurement], found: Mapping[tuple[int, int], Ratio]) -> list[tuple[int, int]]:
    """The best and the worst place that each row may have: those that are called faster, or slower, are counted."""
    rows = range(len(table))
    return [
        (
            1 + sum(found[i, j].low > 1 for j in rows if j != i),
            len(table) - sum(found[i, j].high < 1 for j in rows if j != i),
        )
        for i in rows
    ]


def half_width(differences: np.ndarray) -> float:
    """A quick 95 % half-width of a median, to decide whether more rounds are needed: from the quartiles."""
    low, high = np.quantile(differences, [0.25, 0.75])
    return float(1.96 * 1.2533 * (high - low) / 1.349 / math.sqrt(len(differences)))
