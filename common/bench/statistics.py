"""Ratios of times with intervals that may be believed, and what may be called a difference.

Two things make the same code seem faster or slower. Within a process, rounds differ. They are paired, so drift of the
machine cancels; each process is paired with each of the other's, and the mean of the pairs' medians is bootstrapped
over rounds (`within`). Between processes, the same code differs by where its memory lies and how its threads fell: no
number of rounds shows that, so every configuration runs in more than one process, and the ratios of such twins to one
another are the *A/A spread*, which every interval then has in it.

All pairs of a table are compared, the fastest is picked from the same data, and a table has many pairs: so each
interval is at the level 1 - (1 - CONFIDENCE) / pairs (Bonferroni), and all of a table's hold together with CONFIDENCE.
"""

import functools
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from common.results.measurements import Measurement, Samples

CONFIDENCE = 0.95
CENTRE = 0.8  # of the bootstrap distribution, from which its spread is taken
RESAMPLES = 999
MOST_DEGREES = 12  # of freedom of the A/A spread: a sample of twins tells too little of the far tails


@dataclass(frozen=True)
class Spread:
    """The A/A spread: the standard deviation of one process's effect on log time, from so many pairs of twins.

    ``degrees`` of freedom are those that the deviation has as an estimate: fewer than twins where a few stand out.
    """

    deviation: float
    twins: int
    degrees: float

    def half_width(self, level: float, processes: tuple[int, int]) -> float:
        """Of the log ratio of two configurations that ran in so many processes each, by Student's t."""
        if not self.twins:
            return 0.0
        quantile = stats.t.ppf((1 + level) / 2, self.degrees)
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
    def inverse(self) -> "Ratio":
        return Ratio(1 / self.value, 1 / self.high, 1 / self.low if self.low else math.inf)

    @property
    def text(self) -> str:
        """``1.34x [1.29, 1.40]``, or that it is a tie."""
        interval = f"{self.value:.2f}x [{self.low:.2f}, {self.high:.2f}]"
        return interval if self.called else f"tie ({interval})"


def logs(processes: Sequence[Samples]) -> np.ndarray:
    """Log times (processes, rounds), in the rounds that all have."""
    found = [dict(zip(p.rounds, np.log(p.seconds), strict=True)) for p in processes]
    shared = sorted(set.intersection(*map(set, found))) if found else []
    return np.array([[log[number] for number in shared] for log in found]).reshape(len(found), len(shared))


def paired(one: Sequence[Samples], other: Sequence[Samples]) -> np.ndarray:
    """Log ratios of time (pairs of processes, rounds): each process with each of the other's, in the rounds of all."""
    found = logs((*one, *other))
    return (found[: len(one), None] - found[len(one) :]).reshape(len(one) * len(other), found.shape[1])


def middle(differences: np.ndarray) -> np.ndarray:
    """The mean over pairs of processes of their medians over rounds: a stolen round spoils its own pairs only."""
    ordered, rounds = np.sort(differences), differences.shape[-1]  # four times as fast as np.median, and the same
    return ((ordered[..., (rounds - 1) // 2] + ordered[..., rounds // 2]) / 2).mean(axis=0)


def spread(measurements: Iterable[Measurement]) -> Spread:
    """The A/A spread from all that ran in more than one process: half the mean square of twins' log ratios.

    Its degrees of freedom match the variance of a mean square of n, which is (kurtosis - 1) / n of its own square
    (Satterthwaite, 1946, doi:10.2307/3002019): n for a normal effect, fewer for one with heavy tails. But no more than
    MOST_DEGREES: without it, simulated effects of Student's t with 3 degrees had a tie called in 6 % of tables of 8.
    """
    twins = [
        float(middle(differences))
        for measurement in measurements
        for one, other in itertools.pairwise(measurement.processes)
        if (differences := paired([one], [other])).size
    ]
    squares = np.square(twins)
    if not squares.any():
        return Spread(0.0, len(twins), min(MOST_DEGREES, len(twins)))
    kurtosis = max(3.0, float(np.mean(squares**2) / np.mean(squares) ** 2))
    degrees = min(MOST_DEGREES, 2 * len(twins) / (kurtosis - 1))
    return Spread(math.sqrt(np.mean(squares) / 2), len(twins), degrees)


@functools.cache
def _resamples(count: int, rounds: int) -> np.ndarray:
    """Which rounds each resample has: drawn once, the same for all."""
    return np.random.default_rng(0).integers(0, rounds, (count, rounds))


def within(differences: np.ndarray, level: float) -> tuple[float, float, float]:
    """The middle of log ratios, or of log times, with its interval from the rounds alone.

    A percentile bootstrap is too narrow for few rounds: by n for n - 1 and by the normal's quantile for Student's t
    (Hesterberg, 2015, doi:10.1080/00031305.2015.1089789). And far in its tails it knows no more than the extremes of
    the sample, which are stolen rounds. So its CENTRE is taken, and both sides are scaled from there to ``level``.
    """
    rounds = differences.shape[-1]
    value = float(middle(differences)) if rounds else 0.0
    if rounds < 3:
        return value, -math.inf, math.inf  # nothing is known
    resampled = middle(differences[..., _resamples(RESAMPLES, rounds)])
    low, high = (float(end) for end in np.quantile(resampled, [(1 - CENTRE) / 2, (1 + CENTRE) / 2]))
    quantile = stats.t.ppf((1 + level) / 2, rounds - 1) / stats.norm.ppf((1 + CENTRE) / 2)
    scale = quantile * math.sqrt(rounds / (rounds - 1))
    return value, float(value - scale * max(0.0, value - low)), float(value + scale * max(0.0, high - value))


def ratio(one: Measurement, other: Measurement, noise: Spread, pairs: int = 1) -> Ratio:
    """Time of one over the other's, at a level at which ``pairs`` intervals hold together."""
    level = 1 - (1 - CONFIDENCE) / pairs
    between = noise.half_width(level, (len(one.processes), len(other.processes)))
    return _ratio(within(paired(one.processes, other.processes), level), between)


def unpaired(one: Measurement, other: Measurement, noise: Spread, pairs: int = 1) -> Ratio:
    """`ratio` of measurements whose rounds have nothing in common: drift does not cancel, but widens the interval."""
    level = 1 - (1 - CONFIDENCE) / pairs
    between = noise.half_width(level, (len(one.processes), len(other.processes)))
    (value, low, high), (base, least, most) = (within(logs(row.processes), level) for row in (one, other))
    ends = -math.hypot(value - low, most - base), math.hypot(high - value, base - least)
    return _ratio((value - base, value - base + ends[0], value - base + ends[1]), between)


def _ratio(interval: tuple[float, float, float], between: float) -> Ratio:
    value, low, high = interval
    ends = value - math.hypot(value - low, between), value + math.hypot(high - value, between)
    return Ratio(math.exp(value), *map(math.exp, ends))


def ratios(table: Sequence[Measurement], noise: Spread) -> dict[tuple[int, int], Ratio]:
    """All ordered pairs of a table's rows, by index: time of the first over that of the second."""
    count = math.comb(len(table), 2)
    found = {}
    for i, j in itertools.combinations(range(len(table)), 2):
        found[i, j] = ratio(table[i], table[j], noise, count)
        found[j, i] = found[i, j].inverse
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
    low, high = np.quantile(differences.mean(axis=0), [0.25, 0.75])
    return float(1.96 * 1.2533 * (high - low) / 1.349 / math.sqrt(differences.shape[-1]))
