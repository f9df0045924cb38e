"""Intervals that can be trusted: hand-worked values, and simulated runs whose differences are known."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from common.bench import statistics
from common.bench.ratio import Ratio
from common.bench.statistics import CONFIDENCE, Spread, half_width, middle, paired, ranks, ratio, ratios, spread
from common.config import Config
from common.results.measurements import Measurement, Samples
from report.runs.timing import PROCESSES

NO_SPREAD = Spread(0.0, math.inf)  # processes do not differ at all


def samples(seconds: Sequence[float], rounds: Sequence[int] | None = None) -> Samples:
    return Samples(0.0, 0.0, 1, list(seconds), [], list(rounds or range(len(seconds))))


def row(*processes: Samples, backend: str = "torch", case: str = "conv-a") -> Measurement:
    return Measurement(case, "conv", "forward", "float32", Config(backend), "cpu", list(processes))


def test_rounds_are_paired_where_all_processes_have_them() -> None:
    one = [samples([2, 4, 8], [0, 1, 3]), samples([4, 16, 2], [0, 1, 2])]
    other = [samples([1, 2, 1, 1])]
    assert paired(one, other) / math.log(2) == pytest.approx(np.array([[1, 1], [2, 3]]))
    assert paired(one, [samples([1], [7])]).shape == (2, 0)


def test_the_middle_is_the_mean_of_medians() -> None:
    assert middle(np.array([[0.0, 1.0, 9.0], [2.0, 3.0, 4.0]])) == 2.0


def test_the_middle_has_the_medians_of_numpy() -> None:
    for rounds in (1, 2, 7, 20):
        drawn = np.random.default_rng(rounds).normal(size=(4, 5, rounds))
        assert np.array_equal(middle(drawn), np.median(drawn, axis=-1).mean(axis=0))


def test_the_interval_is_the_percentile_bootstrap() -> None:
    """Of scipy, at CENTRE, each side scaled as `within` says; with its draws the ends are the same to rounding."""
    drawn = np.random.default_rng(1).normal(0.3, 0.1, (4, 20))
    found = stats.bootstrap(
        (drawn,),
        lambda values, axis: np.median(values, axis=axis).mean(axis=0),
        confidence_level=statistics.CENTRE,
        n_resamples=statistics.RESAMPLES,
        vectorized=True,
        axis=-1,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    scale = stats.t.ppf(0.975, 19) / stats.norm.ppf((1 + statistics.CENTRE) / 2) * math.sqrt(20 / 19)
    value, low, high = statistics.within(drawn, 0.95)
    assert (value - low, high - value) == pytest.approx((scale * (value - found.low), scale * (found.high - value)))


def test_the_spread_of_twins() -> None:
    """Ratios of twins e^0.2 and e^-0.1: half of (0.04 + 0.01) / 2 is the variance of one process."""
    apart = row(samples([math.exp(0.2)] * 3), samples([1] * 3))
    near = row(samples([1] * 3), samples([math.exp(0.1)] * 3), backend="jax")
    alone = row(samples([5, 6, 7]), backend="flax")
    noise = spread([apart, near, alone])
    assert noise.deviation == pytest.approx(math.sqrt(0.0125))
    assert noise.degrees == pytest.approx(0.025**2 / (0.02**2 + 0.005**2))  # Satterthwaite: of two, as Welch
    assert noise.variances == pytest.approx({Config("torch"): 0.02, Config("jax"): 0.005})
    assert noise.of_pair(apart, near) == pytest.approx(0.0125)
    assert noise.of_pair(apart, alone) == pytest.approx(0.02 / 2 + 0.0125)  # its own is more than the table's
    assert noise.of_pair(near, alone) == pytest.approx(0.0125 / 2 + 0.0125)


def test_three_processes_have_the_variance_of_a_sample() -> None:
    times = np.array([0.1, 0.4, 0.3])
    noise = spread([row(*(samples([math.exp(time)] * 3) for time in times))])
    assert (noise.deviation**2, noise.degrees) == pytest.approx((times.var(ddof=1), 2))


def test_where_nothing_ran_twice_nothing_is_known() -> None:
    one, other = row(samples([2.0] * 10)), row(samples([1.0] * 10), backend="jax")
    (ratio, _) = ratios([one, other], spread([one, other])).values()
    assert (ratio.low, ratio.high, ratio.text, ratio.short) == (0, math.inf, "not known (2.00x)", "not known")


def test_the_smallest_ratio_that_a_table_can_tell_is_that_of_its_widest_interval() -> None:
    narrow, wide = Ratio(2.0, 1.9, 2.1), Ratio(1.5, 1.0, 2.25)
    by_pair = {(0, 1): narrow, (0, 2): wide, (1, 2): Ratio(9.0, 0.0, math.inf)}  # of the last nothing is known
    assert statistics.told(by_pair | {(j, i): r.inverse for (i, j), r in by_pair.items()}) == pytest.approx(1.5)
    assert statistics.told({(0, 1): Ratio(2.0, 0.0, math.inf)}) == math.inf


def test_a_spread_of_one_that_stands_out_has_fewer_degrees_of_freedom() -> None:
    """One of four twins differs: Satterthwaite's one degree, times what the three others could do by chance."""
    (same, degrees), (slow, fewer) = (
        statistics.pooled(np.array(own), np.ones(4, int)) for own in ([4.0, 4, 4, 4], [16.0, 0, 0, 0])
    )
    assert (same, slow, degrees) == (4, 4, 4)
    assert fewer == pytest.approx(math.sqrt(3 * 1.5 / 2.5))


def test_a_ratio_and_its_text() -> None:
    one, other = row(samples([2.0] * 10)), row(samples([1.0] * 10), backend="jax")
    exact = ratio(one, other, NO_SPREAD)
    assert (exact.value, exact.low, exact.high) == pytest.approx((2, 2, 2))
    assert exact.text == "2.00x [2.00, 2.00]"
    wide = ratio(one, other, Spread(0.5, 4))  # t of 4 degrees at 0.975 is 2.776; one process each: times sqrt(2)
    assert math.log(wide.high / 2) == pytest.approx(2.776445 * 0.5 * math.sqrt(2))
    assert not wide.called
    assert wide.text == "tie (2.00x [0.28, 14.24])"
    assert (wide.inverse.value, wide.inverse.low, wide.inverse.high) == pytest.approx(
        (0.5, 1 / wide.high, 1 / wide.low)
    )


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_two_rounds_tell_nothing(rounds: int) -> None:
    by_pair = ratios([row(samples([2.0] * rounds)), row(samples([1.0] * rounds), backend="jax")], NO_SPREAD)
    assert [(by_pair[pair].low, by_pair[pair].high) for pair in ((0, 1), (1, 0))] == [(0, math.inf)] * 2
    assert not by_pair[0, 1].called


def test_more_pairs_and_fewer_rounds_make_wider_intervals() -> None:
    times = np.random.default_rng(0).lognormal(0, 0.1, (2, 30))

    def width(rounds: int, pairs: int) -> float:
        one, other = (row(samples(part[:rounds])) for part in times)
        compared = ratio(one, other, Spread(0.01, 40), pairs)
        return math.log(compared.high / compared.low)

    assert width(30, 1) < width(30, 6) < width(30, 28)
    assert width(30, 6) < width(7, 6)


def test_ranks_count_what_is_called() -> None:
    """Two that tie, and one that is slower than both."""
    table = [row(samples([1])), row(samples([1])), row(samples([1]))]
    tie, slower = Ratio(1.0, 0.9, 1.1), Ratio(0.5, 0.4, 0.6)
    by_pair = {(0, 1): tie, (0, 2): slower, (1, 2): slower}
    assert ranks(table, by_pair | {(j, i): r.inverse for (i, j), r in by_pair.items()}) == [(1, 2), (1, 2), (3, 3)]


def test_the_quick_half_width_is_that_of_a_normal_median() -> None:
    quantiles = stats.norm.ppf((np.arange(1001) + 0.5) / 1001)
    assert half_width(quantiles[None]) == pytest.approx(1.96 * math.sqrt(math.pi / 2 / 1001), rel=0.01)


EFFECTS = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "heavy tails": lambda rng, size: rng.standard_t(3, size),
}


def simulated(
    rng: np.random.Generator, effect: str, rounds: int, slower: float, tables: int = 10
) -> list[list[Measurement]]:
    """A run: tables of 4 configurations in PROCESSES processes each; the last takes ``slower`` times as long.

    Log times are the drift of the machine, a random walk that all share; the effect of the process, 2 %; and the
    noise of a sample, 3 %, with one in 20 slowed by 1.2 to 3 times, as by a hypervisor that gives the processor away.
    """
    size = (tables, 4, PROCESSES, rounds)
    drift = rng.normal(0, 0.02, (tables, 1, 1, rounds)).cumsum(axis=-1)
    stolen = (rng.random(size) < 0.05) * np.log(rng.uniform(1.2, 3, size))
    logs = drift + 0.02 * EFFECTS[effect](rng, (*size[:3], 1)) + rng.normal(0, 0.03, size) + stolen
    logs[:, -1] += math.log(slower)
    return [
        [
            row(*map(samples, np.exp(config)), backend=str(name), case=f"conv-{case}")
            for name, config in enumerate(table)
        ]
        for case, table in enumerate(logs)
    ]


def called(effect: str, rounds: int, runs: int, slower: float = 1.0) -> tuple[list[bool], list[bool]]:
    """By table, whether any of its pairs is called; and whether each of two pairs is that share no process."""
    rng = np.random.default_rng(rounds)
    tables, singles = [], []
    for _ in range(runs):
        run = simulated(rng, effect, rounds, slower)
        noises = list(map(spread, run))
        tables += [
            any(compared.called for compared in ratios(*table).values()) for table in zip(run, noises, strict=True)
        ]
        singles += [
            ratio(table[i], table[j], noise).called
            for table, noise in zip(run, noises, strict=True)
            for i, j in ((3, 0), (2, 1))
        ]
    return tables, singles


@pytest.mark.parametrize("effect", EFFECTS)
def test_ties_are_called_in_one_of_20_at_most(monkeypatch: pytest.MonkeyPatch, effect: str) -> None:
    """200 tables and 400 pairs: at a true 5 % the standard errors are 1.5 % and 1.1 %. The draws are fixed."""
    monkeypatch.setattr(statistics, "RESAMPLES", 99)
    tables, singles = zip(*(called(effect, rounds, 10) for rounds in (7, 20)), strict=True)
    assert np.mean(tables) <= 1 - CONFIDENCE
    assert np.mean(singles) <= 1 - CONFIDENCE


@pytest.mark.parametrize(("effect", "least"), [("normal", 0.95), ("heavy tails", 0.9)])
def test_a_fifth_more_time_is_nearly_always_called(monkeypatch: pytest.MonkeyPatch, effect: str, least: float) -> None:
    """A table knows its own spread only: a few tables are so noisy by heavy tails that 1.2x is a tie in them."""
    monkeypatch.setattr(statistics, "RESAMPLES", 99)
    slower = [called(effect, rounds, 3, slower=1.2)[1][::2] for rounds in (10, 20, 30)]
    assert np.mean(slower) >= least


def test_without_the_spread_ties_would_be_called() -> None:
    """This is why twins run: the rounds alone do not show an effect that all rounds of a process share."""
    run = simulated(np.random.default_rng(0), "normal", 30, 1.0)
    blind = [ratio(table[0], table[1], NO_SPREAD).called for table in run]
    assert np.mean(blind) > 0.2
