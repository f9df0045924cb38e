"""Two runs: what changed is found, the same again is not called a change, and other machines are seen."""

import math
from dataclasses import replace

import numpy as np
import pytest

from common.bench import statistics
from common.bench.regressions import IMPROVEMENT, MACHINE, REGRESSION, TIE, diff, environments, same_machine
from common.config import Config
from common.results.measurements import Measurement, Samples
from common.results.record import RunRecord
from report.sections.diff import changes, summary
from report.sections.diff import environments as environments_table

ENVIRONMENT = dict.fromkeys(MACHINE, "x") | {"date": "1"}


def record(rows: list[Measurement], **environment: str) -> RunRecord:
    return RunRecord(ENVIRONMENT | environment, {"torch": {"torch": "2"}}, measurements=rows)


def measured(logs: np.ndarray, clock: float = 1.0) -> list[Measurement]:
    """Rows of a run from log times (tables, configurations, processes, rounds)."""

    def samples(times: np.ndarray) -> Samples:
        rounds = list(range(len(times)))
        return Samples(0.0, 0.0, 1, np.exp(times).tolist(), rounds=rounds, clock=[clock] * len(times))

    return [
        Measurement(f"conv-{i}", "conv", "forward", "float32", Config(f"b{j}"), "cpu", [samples(p) for p in config])
        for i, table in enumerate(logs)
        for j, config in enumerate(table)
    ]


def run(rng: np.random.Generator, rounds: int = 20, heavy: bool = False) -> np.ndarray:
    """Log times of 5 tables of 4 configurations in 2 processes: with drift, process effects, stolen samples."""
    size = (5, 4, 2, rounds)
    drift = np.zeros((5, 1, 1, rounds))
    for number in range(1, rounds):
        drift[..., number] = 0.5 * drift[..., number - 1] + rng.normal(0, 0.01, (5, 1, 1))
    process = 0.02 * (rng.standard_t(3, (*size[:3], 1)) if heavy else rng.standard_normal((*size[:3], 1)))
    stolen = (rng.random(size) < 0.05) * np.log(rng.uniform(1.2, 3, size))
    return drift + process + rng.normal(0, 0.03, size) + stolen


@pytest.mark.parametrize("heavy", [False, True])
def test_the_same_again_has_a_change_in_one_of_20_at_most(monkeypatch: pytest.MonkeyPatch, heavy: bool) -> None:
    """Of 100 pairs of runs with 20 rows each: at a true 5 % the standard error is 2.2 %. The draws are fixed."""
    monkeypatch.setattr(statistics, "RESAMPLES", 99)
    rng = np.random.default_rng(1)
    runs = ((record(measured(run(rng, rounds, heavy))) for rounds in (10 + 10 * (i % 2), 20)) for i in range(100))
    diffs = [diff(*pair) for pair in runs]
    assert np.mean([any(change.verdict != TIE for change in one.changes) for one in diffs]) <= 0.05


def test_what_became_slower_or_faster_is_found() -> None:
    rng = np.random.default_rng(2)
    old, new = run(rng), run(rng)
    new[2, 1] += math.log(1.3)
    new[4, 0] -= math.log(1.3)
    result = diff(record(measured(old)), record(measured(new, clock=1.01)))
    assert {(c.new.case, c.new.backend, c.verdict) for c in result.changes if c.verdict != TIE} == {
        ("conv-2", "b1", REGRESSION),
        ("conv-4", "b0", IMPROVEMENT),
    }
    (slower,) = result.regressions
    assert slower.ratio.value == pytest.approx(1.3, rel=0.1)
    assert summary(result) == "1 regression, 1 improvement, 18 ties; a fixed piece of work took 1.01x as long"


def test_a_ratio_that_is_not_paired() -> None:
    """Processes that are constant: medians 2 and 3 of the new, 1 of the old, so sqrt(6) with no width."""
    one, other = (measured(np.log(np.array(times))[None, None, :, None].repeat(5, -1))[0] for times in ([2, 3], [1]))
    ratio = statistics.unpaired(one, other, statistics.Spread(0.0, 0, 0))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((math.sqrt(6),) * 3)


def test_the_interval_has_the_rounds_of_both_runs() -> None:
    rng, still = np.random.default_rng(3), np.zeros((1, 1, 2, 20))
    (noisy,), (other,) = measured(rng.normal(0, 0.1, still.shape)), measured(still)
    none = statistics.Spread(0.0, 0, 0)
    ratios = [statistics.unpaired(*pair, none) for pair in ((noisy, other), (other, noisy), (noisy, noisy))]
    one, reverse, both = (math.log(ratio.high / ratio.low) for ratio in ratios)
    assert one == pytest.approx(reverse)
    assert one > 0
    assert both == pytest.approx(math.sqrt(2) * one, rel=0.2)  # not exactly: the sides are not of one length


def test_rows_of_one_run_alone_are_listed() -> None:
    rows = measured(np.zeros((1, 3, 2, 10)))
    compiled = replace(rows[0], config=replace(rows[0].config, form="compiled"))
    result = diff(record(rows[:2]), record([rows[1], compiled]))
    assert ([c.new for c in result.changes], result.only_old, result.only_new) == ([rows[1]], [rows[0]], [compiled])
    table = changes(result)
    assert [row[-1] for row in table.rows] == [TIE, "only in the old", "only in the new"]
    assert table.rows[2][3] == "b0 compiled"
    assert all(len(row) == len(table.header) for row in table.rows)


def test_two_runs_with_nothing_in_common() -> None:
    result = diff(record([]), record([]))
    assert (result.changes, result.only_old, result.only_new) == ([], [], [])
    assert summary(result) == "0 regressions, 0 improvements, 0 ties"


def test_what_differs_of_where_they_ran() -> None:
    old, new = record([], commit="a"), record([], date="2", cpu="y")
    new.backends["torch"] = {"torch": "2", "threads": "1"}
    new.backends["jax"] = {"jax": "1"}
    expected = [("cpu", "x", "y"), ("date", "1", "2"), ("commit", "a", ""), ("torch: threads", "", "1")]
    assert environments(old, new) == expected
    assert environments_table(diff(old, new)).rows[-1] == ["torch: threads", "none", "1"]


@pytest.mark.parametrize("name", MACHINE)
def test_another_machine_is_seen(name: str) -> None:
    assert same_machine(record([]), record([], date="2", commit="b"))
    assert not same_machine(record([]), record([], **{name: "y"}))
