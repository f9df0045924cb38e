"""Ratios of times with intervals that can be trusted, and which of them are called a difference.

Two things make the same code seem faster or slower. Within a process, rounds differ. They are paired, so drift of the
machine cancels; each process is paired with each process of the other configuration, and the mean of the pairs' medians
is bootstrapped over rounds (`within`). Between processes, the same code differs by the addresses of its memory and the
placement of its threads. No number of rounds shows that, so every configuration runs in more than one process. The
ratios between such twins are the *A/A spread*, which every interval includes. Every table has its own spread, because
the noisiest tables of one run are up to 40 times as noisy as the quietest.

A table has many pairs, all are compared, and the fastest is chosen from the same data. So each interval is at the level
1 - (1 - CONFIDENCE) / pairs (Bonferroni): all intervals of a table hold together with CONFIDENCE.
"""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from common.bench.ratio import Ratio
from common.config import Config
from common.results.measurements import Measurement, Samples

CONFIDENCE = 0.95
CENTRE = 0.8  # of the bootstrap distribution, from which its spread is taken
RESAMPLES = 999


@dataclass(frozen=True)
class Spread:
    """The A/A spread of one table: the standard deviation of one process's effect on log time.

    As an estimate, ``deviation``, of all configurations together, has ``degrees`` of freedom; 0 if no configuration
    ran twice, and then nothing is known. ``variances`` has each configuration's own estimate.
    """

    deviation: float
    degrees: float
    variances: Mapping[Config, float] = field(default_factory=dict)

    def of_pair(self, one: Measurement, other: Measurement) -> float:
        """The variance of the log ratio of two rows.

        It is that of all configurations or the pair's own, whichever is greater: a pair may be noisier than the rest.
        """
        return max(
            sum(variance / len(row.processes) for variance, row in zip(variances, (one, other), strict=True))
            for variances in (
                [self.deviation**2] * 2,
                [self.variances.get(row.config, self.deviation**2) for row in (one, other)],
            )
        )

    def of_row(self, row: Measurement) -> float:
        """The variance of one row's log time, in the same way."""
        return max(self.deviation**2, self.variances.get(row.config, 0.0)) / len(row.processes)


NOT_KNOWN = Spread(0.0, 0.0)


def logs(processes: Sequence[Samples]) -> np.ndarray:
    """Log times (processes, rounds), in the rounds that all have."""
    by_round = [dict(zip(p.rounds, np.log(p.seconds), strict=True)) for p in processes]
    shared = sorted(set.intersection(*map(set, by_round))) if by_round else []
    return np.array([[log[number] for number in shared] for log in by_round]).reshape(len(by_round), len(shared))


def paired(one: Sequence[Samples], other: Sequence[Samples]) -> np.ndarray:
    """Log ratios of time (pairs of processes, rounds): each process with each other, in the rounds of all."""
    times = logs((*one, *other))
    return (times[: len(one), None] - times[len(one) :]).reshape(len(one) * len(other), times.shape[1])


def middle(differences: np.ndarray) -> np.ndarray:
    """The mean over pairs of processes of their medians over rounds: a stolen round affects its own pairs only."""
    ordered, rounds = np.sort(differences), differences.shape[-1]  # four times as fast as np.median, and the same
    return ((ordered[..., (rounds - 1) // 2] + ordered[..., rounds // 2]) / 2).mean(axis=0)


def twins(row: Measurement) -> list[float]:
    """The log ratios of all pairs of one configuration's processes."""
    pairs = [paired([one], [other]) for one, other in itertools.combinations(row.processes, 2)]
    return [float(middle(differences)) for differences in pairs if differences.size]


def pooled(own: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The variance of a table's configurations together, and its degrees of freedom: of (..., configurations).

    If a few configurations stand out, fewer degrees are behind the pool (Satterthwaite, 1946, doi:10.2307/3002019).
    Equal ones stand out as well, by chance. Half of that, in logarithms, takes no degrees away: with all of it, up to
    9 % of the tables in which one configuration is noisy would have a false difference; with nothing of it, intervals
    from two processes would be 1.5 times as wide. Of two configurations nothing is known by chance, and this is the
    test of Welch (1947). tests/test_spread.py simulates it.
    """
    variance = np.average(own, weights=degrees, axis=-1)
    squares = np.average(own**2, weights=degrees, axis=-1)
    unequal = np.divide(squares, variance**2, out=np.ones_like(squares), where=variance > 0)
    others, half = max(own.shape[-1] - 1, 1), degrees.mean() / 2
    by_chance = others * (half + 1) / (others * half + 1)  # of equal variances: squares of a Dirichlet variable
    return variance, degrees.sum() * np.minimum(1.0, math.sqrt(by_chance) / unequal)


def spread(table: Sequence[Measurement]) -> Spread:
    """The A/A spread of one table's rows.

    A configuration's own variance is half the mean square of its twins' log ratios. Nothing is taken from other tables:
    shrinking towards the whole run (Smyth, 2004, doi:10.2202/1544-6115.1027) would add two degrees of freedom or fewer
    with the spreads of our records, and would make the intervals of the noisiest table too narrow.
    """
    ran_twice = [(row, apart) for row in table if (apart := twins(row))]
    if not ran_twice:
        return NOT_KNOWN
    own = np.array([np.mean(np.square(apart)) / 2 for _, apart in ran_twice])
    variance, known = pooled(own, np.array([len(row.processes) - 1 for row, _ in ran_twice]))
    variances = {row.config: float(v) for (row, _), v in zip(ran_twice, own, strict=True)}
    return Spread(math.sqrt(variance), float(known), variances)


def half_width_of(variance: float, degrees: float, level: float) -> float:
    """That of an interval at ``level`` by Student's t; infinite if nothing is known."""
    return float(special.stdtrit(degrees, (1 + level) / 2) * math.sqrt(variance)) if degrees else math.inf


@functools.cache
def _resamples(count: int, rounds: int) -> np.ndarray:
    """Which rounds each resample has: drawn once, the same for all."""
    return np.random.default_rng(0).integers(0, rounds, (count, rounds))


def within(differences: np.ndarray, level: float) -> tuple[float, float, float]:
    """The middle of log ratios, or of log times, with its interval from the rounds alone.

    A percentile bootstrap is too narrow for few rounds: it has n for n - 1 and the normal's quantile for Student's t
    (Hesterberg, 2015, doi:10.1080/00031305.2015.1089789). Its far tails depend on the extremes of the sample alone,
    which are stolen rounds. So its CENTRE is taken, and both sides are scaled from it to ``level``.
    """
    rounds = differences.shape[-1]
    value = float(middle(differences)) if rounds else 0.0
    if rounds < 3:
        return value, -math.inf, math.inf  # nothing is known
    resampled = middle(differences[..., _resamples(RESAMPLES, rounds)])
    low, high = (float(end) for end in np.quantile(resampled, [(1 - CENTRE) / 2, (1 + CENTRE) / 2]))
    quantile = special.stdtrit(rounds - 1, (1 + level) / 2) / special.ndtri((1 + CENTRE) / 2)
    scale = quantile * math.sqrt(rounds / (rounds - 1))
    return value, float(value - scale * max(0.0, value - low)), float(value + scale * max(0.0, high - value))


def ratio(one: Measurement, other: Measurement, noise: Spread, pairs: int = 1) -> Ratio:
    """Time of one over that of the other, at the level at which ``pairs`` intervals hold together.

    Nothing is known of rows that other processes disturbed: who was hit harder is chance.
    """
    level = 1 - (1 - CONFIDENCE) / pairs
    between = half_width_of(noise.of_pair(one, other), noise.degrees, level)
    return _ratio(within(paired(one.processes, other.processes), level), between, (one, other))


def unpaired(one: Measurement, other: Measurement, noises: tuple[Spread, Spread], pairs: int = 1) -> Ratio:
    """`ratio` of rows of two tables, each with its own spread, whose rounds have nothing in common.

    Drift within the tables does not cancel; it widens the interval. Drift from one table to the other is not covered.
    The degrees of freedom are those of Welch (1947, doi:10.1093/biomet/34.1-2.28).
    """
    level = 1 - (1 - CONFIDENCE) / pairs
    variances = [noise.of_row(row) for noise, row in zip(noises, (one, other), strict=True)]
    degrees = min(noise.degrees for noise in noises)
    if degrees and any(variances):
        parts = sum(v**2 / noise.degrees for v, noise in zip(variances, noises, strict=True))
        degrees = sum(variances) ** 2 / parts
    (value, low, high), (base, least, most) = (within(logs(row.processes), level) for row in (one, other))
    ends = -math.hypot(value - low, most - base), math.hypot(high - value, base - least)
    interval = value - base, value - base + ends[0], value - base + ends[1]
    return _ratio(interval, half_width_of(sum(variances), degrees, level), (one, other))


def _ratio(interval: tuple[float, float, float], between: float, rows: Sequence[Measurement]) -> Ratio:
    value, low, high = interval
    if any(row.crowded for row in rows):
        between = math.inf
    ends = value - math.hypot(value - low, between), value + math.hypot(high - value, between)
    return Ratio(math.exp(value), *map(math.exp, ends))


def ratios(table: Sequence[Measurement], noise: Spread) -> dict[tuple[int, int], Ratio]:
    """All ordered pairs of a table's rows, by index: time of the first over that of the second."""
    count = math.comb(len(table), 2)
    by_pair = {}
    for i, j in itertools.combinations(range(len(table)), 2):
        by_pair[i, j] = ratio(table[i], table[j], noise, count)
        by_pair[j, i] = by_pair[i, j].inverse
    return by_pair


def told(by_pair: Mapping[tuple[int, int], Ratio]) -> float:
    """The smallest ratio above 1 that is called a difference in every pair that is known; infinite if none is."""
    return max((ratio.value / ratio.low for ratio in by_pair.values() if ratio.known), default=math.inf)


def ranks(table: Sequence[Measurement], by_pair: Mapping[tuple[int, int], Ratio]) -> list[tuple[int, int]]:
    """The best and the worst place that each row may have: the rows that are called faster, or slower, count."""
    rows = range(len(table))
    return [
        (
            1 + sum(by_pair[i, j].low > 1 for j in rows if j != i),
            len(table) - sum(by_pair[i, j].high < 1 for j in rows if j != i),
        )
        for i in rows
    ]


def half_width(differences: np.ndarray) -> float:
    """A quick 95 % half-width of a median, to decide whether more rounds are needed: from the quartiles."""
    low, high = np.quantile(differences.mean(axis=0), [0.25, 0.75])
    return float(1.96 * 1.2533 * (high - low) / 1.349 / math.sqrt(differences.shape[-1]))
