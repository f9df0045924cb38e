"""Two runs: what changed is found, the same again is not called a change, and other machines are seen."""

import math
from dataclasses import replace

import numpy as np
import pytest

from common.bench import statistics
from common.bench.regressions import (
    DISTURBED,
    DRIFT,
    IMPROVEMENT,
    MACHINE,
    REGRESSION,
    TIE,
    UNKNOWN,
    diff,
    environments,
    same_machine,
)
from common.config import Config
from common.results.measurements import Measurement, Samples
from common.results.record import RunRecord
from common.results.writing import ResultsError
from report.sections.diff import changes, summary
from report.sections.diff import environments as environments_table

SAME = statistics.Spread(0.0, math.inf)  # processes do not differ at all
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


def walk(rng: np.random.Generator) -> np.ndarray:
    """Drift of the machine from table to table, which all rows of a table share: a random walk, 10 % a step."""
    return rng.normal(0, 0.1, (5, 1, 1, 1)).cumsum(axis=0)


@pytest.mark.parametrize("drifts", [False, True])
@pytest.mark.parametrize("heavy", [False, True])
def test_the_same_again_has_a_change_in_one_of_20_at_most(
    monkeypatch: pytest.MonkeyPatch, heavy: bool, drifts: bool
) -> None:
    """Of 60 pairs of runs with 20 rows each: at a true 5 % the standard error is 2.8 %. The draws are fixed."""
    monkeypatch.setattr(statistics, "RESAMPLES", 99)
    rng = np.random.default_rng(1)
    called = []
    for number in range(60):
        rounds = 10 + 10 * (number % 2)
        old, new = (run(rng, count, heavy) + drifts * walk(rng) for count in (rounds, 20))
        verdicts = [change.verdict for change in diff(record(measured(old)), record(measured(new))).changes]
        called.append(REGRESSION in verdicts or IMPROVEMENT in verdicts)
    assert np.mean(called) <= 0.05


def test_what_became_slower_or_faster_is_found() -> None:
    """One row alone; a table whose rows all took longer may be the machine."""
    rng = np.random.default_rng(2)
    old, new = run(rng), run(rng)
    new[2, 1] += math.log(1.4)
    new[4, 0] -= math.log(1.4)
    new[0] += math.log(1.4)
    result = diff(record(measured(old)), record(measured(new, clock=1.01)))
    assert {(c.new.case, c.new.backend, c.verdict) for c in result.changes if c.verdict != TIE} == {
        ("conv-2", "b1", REGRESSION),
        ("conv-4", "b0", IMPROVEMENT),
        *(("conv-0", f"b{number}", DRIFT) for number in range(4)),
    }
    (slower,) = result.regressions
    assert slower.ratio.value == pytest.approx(1.4, rel=0.1)
    drifted = ", ".join(f"conv-0 forward float32 b{number}" for number in range(4))
    first, told, *rest = summary(result).splitlines()
    assert told.startswith("A tie means: changed by less than 1.")
    assert [first, *rest] == [
        "1 regression, 1 improvement, 14 ties; a fixed piece of work took 1.01x as long",
        f"4 rows changed no more than the other rows, as when the machine drifts: not called: {drifted}",
    ]


def test_a_row_that_is_alone_in_its_table_may_have_drifted_as_the_other_tables_did() -> None:
    """By 20 % up and down; a change of 30 % is called only where they did not."""
    still = np.random.default_rng(4).normal(0, 0.001, (6, 1, 3, 10))
    changed = np.zeros((6, 1, 1, 1))
    changed[0] = math.log(1.3)
    drift = math.log(1.2) * np.array([0, 1, -1, 1, -1, 1]).reshape(-1, 1, 1, 1)
    verdicts = [
        diff(record(measured(still)), record(measured(still[..., ::-1] + changed + d))).changes[0].verdict
        for d in (0 * drift, drift)
    ]
    assert verdicts == [REGRESSION, DRIFT]
    alone = diff(record(measured(still[:1])), record(measured(still[:1] + changed[:1])))
    assert alone.changes[0].verdict == UNKNOWN
    assert "1 row not known (one process, two rounds, or no other rows" in summary(alone)


def test_rows_that_others_disturbed_are_not_called() -> None:
    old, new = (
        measured(np.zeros((1, 3, 2, 10))),
        measured(np.log([1.0, 1, 2])[None, :, None, None].repeat(2, 2).repeat(10, 3)),
    )
    quiet = diff(record(old), record(new))
    crowded = [replace(p, others=[0.6] * 10) for p in new[2].processes]
    busy = diff(record(old), record([*new[:2], replace(new[2], processes=crowded)]))
    assert [change.verdict for change in busy.changes] == [TIE, TIE, DISTURBED]
    assert not busy.changes[2].ratio.known
    assert "1 row disturbed by other processes in one of the runs: not called: conv-0 forward" in summary(busy)
    assert quiet.changes[2].verdict == REGRESSION


def test_a_ratio_that_is_not_paired() -> None:
    """Processes that are constant: medians 2 and 3 of the new, 1 of the old, so sqrt(6) with no width."""
    one, other = (measured(np.log(np.array(times))[None, None, :, None].repeat(5, -1))[0] for times in ([2, 3], [1]))
    ratio = statistics.unpaired(one, other, (SAME, SAME))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((math.sqrt(6),) * 3)


def test_the_interval_has_the_rounds_of_both_runs() -> None:
    rng, still = np.random.default_rng(3), np.zeros((1, 1, 2, 20))
    (noisy,), (other,) = measured(rng.normal(0, 0.1, still.shape)), measured(still)
    ratios = [statistics.unpaired(*pair, (SAME, SAME)) for pair in ((noisy, other), (other, noisy), (noisy, noisy))]
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
    assert [row[-1] for row in table.rows] == [UNKNOWN, "only in the old", "only in the new"]
    assert table.rows[2][3] == "b0 compiled"
    assert all(len(row) == len(table.header) for row in table.rows)
    assert summary(result).splitlines()[2:] == [
        "1 row vanished, only in the old run: conv-0 forward float32 b0",
        "1 row only in the new run: conv-0 forward float32 b0 compiled",
    ]


def test_two_runs_with_nothing_in_common() -> None:
    (one, other) = measured(np.zeros((1, 2, 2, 10)))
    with pytest.raises(ResultsError, match=r"^the runs have 1 and 1 rows, none of them in common; a row is a case,"):
        diff(record([one]), record([other]))


def test_what_differs_of_where_they_ran() -> None:
    old, new = record([], commit="a"), record([], date="2", cpu="y")
    new.backends["torch"] = {"torch": "2", "threads": "1"}
    new.backends["jax"] = {"jax": "1"}
    expected = [("cpu", "x", "y"), ("date", "1", "2"), ("commit", "a", ""), ("torch: threads", "", "1")]
    assert environments(old, new) == expected
    old.measurements = new.measurements = measured(np.zeros((1, 1, 2, 10)))
    assert environments_table(diff(old, new)).rows[-1] == ["torch: threads", "none", "1"]


@pytest.mark.parametrize("name", MACHINE)
def test_another_machine_is_seen(name: str) -> None:
    assert same_machine(record([]), record([], date="2", commit="b"))
    assert not same_machine(record([]), record([], **{name: "y"}))
