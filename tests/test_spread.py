"""Tables of unequal noise: the intervals hold in the worst of them, simulated with the spreads of our records.

The differences between twins in report/ have standard deviations of 0.3 % to 20 %, by table. Within a table the
logarithms of the configurations' deviations scatter by UNEQUAL: by so much more than chance do the logarithms of the
squared differences in the 82 tables that have four rows or more.
"""

import itertools
import math

import numpy as np
import pytest

from common.bench import statistics
from common.bench.analysis import Analysis
from common.bench.statistics import CONFIDENCE, Spread, half_width_of, pooled
from common.config import Config
from common.results.measurements import Measurement, Samples
from common.results.record import RunRecord
from report.runs.timing import PROCESSES

DEVIATIONS = np.geomspace(0.003, 0.2, 5)  # of one process's effect, by table
UNEQUAL = 0.67
TABLES = 2000  # at a true 5 % the standard error is 0.5 %


def row(name: object, logs: np.ndarray, case: str = "conv") -> Measurement:
    """A row from log times (processes, rounds)."""
    processes = [Samples(0.0, 0.0, 1, np.exp(times).tolist(), [], list(range(len(times)))) for times in logs]
    return Measurement(case, "conv", "forward", "float32", Config(str(name)), "cpu", processes)


def false(deviations: np.ndarray, processes: int) -> float:
    """The share of tables with a difference although there is none: of (tables, configurations) noise.

    Rounds are without noise, which would only hide the differences between processes.
    """
    tables, count = deviations.shape
    effects = np.random.default_rng(count).normal(size=(tables, count, processes)) * deviations[..., None]
    rows = [row(number, np.zeros((processes, 0))) for number in range(count)]
    own, means = effects.var(axis=-1, ddof=1), effects.mean(axis=-1)
    pairs = list(itertools.combinations(range(count), 2))
    level = 1 - (1 - CONFIDENCE) / len(pairs)

    def called(means: np.ndarray, noise: Spread) -> bool:
        return any(
            abs(means[i] - means[j]) > half_width_of(noise.of_pair(rows[i], rows[j]), noise.degrees, level)
            for i, j in pairs
        )

    noises = [
        Spread(math.sqrt(variance), degrees, dict(zip((r.config for r in rows), table, strict=True)))
        for variance, degrees, table in zip(*pooled(own, np.full(count, processes - 1)), own, strict=True)
    ]
    return float(np.mean(list(map(called, means, noises))))


@pytest.mark.parametrize("processes", [2, PROCESSES])
@pytest.mark.parametrize("configurations", [2, 4, 8])
def test_a_table_has_a_false_difference_in_one_of_20_at_most(configurations: int, processes: int) -> None:
    """Whatever the noise of a table is: of all its pairs together, whose configurations are as unequal as ours."""
    scatter = np.random.default_rng(1).normal(0, UNEQUAL, (TABLES, configurations))
    assert false(np.exp(scatter), processes) <= 1 - CONFIDENCE


@pytest.mark.parametrize("noisy", [2, 5, 40])
@pytest.mark.parametrize("configurations", [2, 4])
def test_one_noisy_configuration(configurations: int, noisy: float) -> None:
    """It alone is noisier, the worst that a table may be: 5 % at most, of which two standard errors are 1 %."""
    deviations = np.ones((TABLES, configurations))
    deviations[:, 0] = noisy
    assert false(deviations, PROCESSES) <= 0.06


def simulated(rng: np.random.Generator, deviations: np.ndarray) -> Analysis:
    """A run with a table for each deviation, of 4 configurations that take the same time; rounds scatter by 1 %."""
    shape = 4, PROCESSES, 7
    logs = [d * rng.normal(size=(*shape[:2], 1)) + rng.normal(0, 0.01, shape) for d in deviations]
    return Analysis(
        RunRecord({}, {}, measurements=[row(i, p, f"conv-{t}") for t, c in enumerate(logs) for i, p in enumerate(c)])
    )


def test_the_noisiest_table_of_a_run_is_no_worse_than_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 runs. One spread for all tables of a run calls a false difference in half of the noisiest."""
    monkeypatch.setattr(statistics, "RESAMPLES", 99)
    rng = np.random.default_rng(2)
    noisiest = []
    for _ in range(200):
        run = simulated(rng, DEVIATIONS)
        noisiest.append(any(ratio.called for ratio in run.ratios(list(run.tables)[-1]).values()))
    assert np.mean(noisiest) <= 1 - CONFIDENCE


def test_a_quiet_table_does_not_pay_for_a_noisy_one() -> None:
    """Its intervals are the same, whatever the other tables of its run are."""
    alone, among = (simulated(np.random.default_rng(3), DEVIATIONS[:count]) for count in (1, 5))
    quiet = next(iter(alone.tables))
    assert alone.ratios(quiet) == among.ratios(quiet)
