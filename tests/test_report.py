"""The report from a record made by hand: what it says, what it refuses to say, and how it tells of what is missing."""

from dataclasses import replace
from typing import Any

import pytest

from common.bench import statistics
from common.bench.analysis import Analysis
from common.config import Config
from common.results.measurements import Measurement, Peaks, Samples
from common.results.record import CheckResult, RunRecord, Unavailable
from common.spec.catalogue import published_cases, timed_cases
from report.runs.runner import costed
from report.sections import timing_tables
from report.sections.calibration import same
from report.sections.tuning import single, steps
from report.text import percent
from tests.support.pages import render

STACKS = {case.spec.family: case.id for case in timed_cases() if case.spec.family.endswith("_stack")}
STEADY = [1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0]


def row(case: str, backend: str, scale: float, again: float = 1.0, **config: Any) -> Measurement:
    """Times of two processes, the second so many times those of the first."""

    def process(factor: float) -> Samples:
        times = [factor * scale * value for value in STEADY]
        return Samples(0.1, 0.5, 1, times, times, list(range(len(times))), [0.0] * 6 + [0.5], [1e-4] * 7)

    block = case.partition("-")[0]
    return Measurement(
        case, block, "forward", "float32", Config(backend, **config), "cpu", [process(1), process(again)]
    )


def checked(backend: str, passed: bool = True, error: float = 1e-7, case: str = "conv_bn_act-k3") -> CheckResult:
    message = f"[{case} / {backend}] forward: greatest abs difference"
    block = case.partition("-")[0]
    return CheckResult(case, block, backend, "forward", passed, message, "random", error, 4e-7)


@pytest.fixture
def record() -> RunRecord:
    record = RunRecord(
        {"date": "2026-01-02T03:04:05+00:00", "commit": "abc", "cpu": "a cpu"},
        {"torch": {"torch": "2", "devices": "cpu"}, "jax": {"jax": "0", "devices": "cpu"}},
        "quick",
        checks=[checked("torch"), checked("jax", error=2e-7)],
        costs=[costed(case) for case in dict.fromkeys((*published_cases(), *timed_cases()))],
    )
    for backend in record.backends:
        counted = checked(backend, case="depthwise_separable-c3_64")
        record.checks.append(replace(counted, level="parameters", error=None, trainable=420, buffers=134))
    for backend, standard, separable in (("torch", 0.4, 0.1), ("jax", 0.4, 1.0)):
        record.measurements += [
            row(STACKS["conv_stack"], backend, standard),
            row(STACKS["separable_stack"], backend, separable),
        ]
    return record


def line(text: str, *parts: str) -> str:
    (match,) = (row for row in text.splitlines() if all(part in row for part in parts))
    return match


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_the_four_convolutions_to_the_digit(record: RunRecord) -> None:
    text = render(record)
    section = text[text.index("### Four convolutions") : text.index("The formulas")]
    assert cells(line(section, "`standard_conv`")) == ["`standard_conv`", "240", "2,160", "1x10x3x3"]
    assert cells(line(section, "`grouped_conv`"))[1:] == ["120", "1,080", "1x10x3x3"]
    assert cells(line(section, "`depthwise_conv`"))[1:] == ["24", "216", "1x6x3x3"]
    assert cells(line(section, "`pointwise_conv`"))[1:] == ["60", "540", "1x10x3x3"]
    assert cells(line(section, "depthwise, then"))[1:] == ["84", "756", "1x10x3x3"]


def test_published_counts_to_the_digit(record: RunRecord) -> None:
    text = render(record)
    assert cells(line(text, "| `depthwise_separable-c3_64` "))[1:] == ["420 + 134", "420 + 134 in torch jax"]
    text = text.partition("### Published and timed settings")[2].partition(" written |")[0]
    counted = cells(line(text, "| `depthwise_separable-c3_64-1x3x224x224`"))[1:]
    assert counted == ["1x64x224x224", "420", "134", "10,988,544", "21,977,088"]
    assert line(text, "`separable_stack-c3-1x3x256x256`", "160,795", "10,370,088,960")
    assert "87,199,580,160" in line(text, "`conv_stack-c3-1x3x256x256`")
    assert "4,242,920" in line(text, "`mobilenet_v1-a100-1x3x224x224`")
    assert "4,231,976" in line(text, "`mobilenet_v1-a100_no_bias-1x3x224x224`")


def test_macs_and_time_stand_side_by_side(record: RunRecord) -> None:
    text = render(record)
    section = text[text.index("## Separable against") : text.index("## How long")]
    assert cells(line(section, "| trainable parameters"))[-1] == "8.29x"
    assert cells(line(section, "| MACs"))[-1] == "8.41x"
    assert cells(line(section, "**time in torch**"))[1:3] == ["400 ms", "100 ms"]
    assert cells(line(section, "**time in torch**"))[-1].startswith("**4.00x** [")
    assert cells(line(section, "**time in jax**"))[-1].startswith("**0.40x** [")
    assert "The MACs fall 8.4 times; the time falls 4.0 times in torch; it *rises* in jax." in section
    assert "(torch, 400 ms) to the fastest separable one (torch, 100 ms) it falls 4.0 times" in section


def test_a_clear_difference_is_called_and_one_within_the_spread_of_twins_is_not(record: RunRecord) -> None:
    case = STACKS["conv_stack"]
    record.measurements = [row(case, "torch", 0.4, 1.02), row(case, "jax", 0.404, 1.02), row(case, "flax", 0.8, 1.02)]
    rows = {cells[0]: cells for cells in timing_tables.times(Analysis(record), record.measurements[0].group).rows}
    assert rows["torch"][3:5] == ["tie for the fastest", "1 to 2"]
    assert rows["jax"][3].startswith("tie (1.01x [0.")
    assert rows["flax"][3].startswith("2.00x [1.")
    assert rows["flax"][4] == "3"
    overview = timing_tables.overview(Analysis(record))
    assert list(overview.rows[0]) == [f"`{case}`", "**404**", "408 (tie)", "808"]


def test_a_table_says_how_far_twins_were_apart_and_what_the_machine_allows(record: RunRecord) -> None:
    case = STACKS["conv_stack"]
    record.measurements = [row(case, "torch", 0.4, 1.1)]
    record.peaks = Peaks(1e12, [(2**20, 1e10)])
    run, group = Analysis(record), record.measurements[0].group
    flops = next(cost.flops for cost in record.costs if cost.case == case)
    assert "up to 1.10x apart in this table" in timing_tables.note(run, group)
    assert f"Bound: {flops / 1e9:.3g} ms, by arithmetic." in timing_tables.note(run, group)
    (cells,) = timing_tables.times(run, group).rows
    assert cells[5] == percent(flops / 1e12 / record.measurements[0].median)
    assert cells[-1] == "2"  # one sample of each process was half stolen
    assert timing_tables.conditions(run, group).rows[0][-1] == "14 of 1"


def test_everything_against_itself(record: RunRecord) -> None:
    case = STACKS["conv_stack"]
    again = [replace(row(case, name, 1.01, 1.02), config=Config(name, copy=1)) for name in ("torch", "jax")]
    record.measurements = [row(case, "torch", 1.0, 1.02), row(case, "jax", 2.0, 1.02), *again]
    table, inside, total = same(Analysis(record))
    assert [cells[1:] for cells in table.rows] == [["torch", table.rows[0][2]], ["jax", table.rows[1][2]]]
    assert table.rows[0][2].startswith("tie (1.01x [")
    assert table.rows[1][2].startswith("0.5")
    assert (inside, total) == (1, 2)
    assert "**1 of 2** intervals (50%) contain 1" in render(record, calibration=record)


def test_what_moves_the_clock_is_told_from_the_records(record: RunRecord) -> None:
    thin = next(case.id for case in timed_cases() if case.spec.family == "depthwise_conv")
    record.measurements += [row(thin, "torch", 0.001), row(thin, "jax", 0.02)]
    threads = [row(thin, "paddle", 0.1), row(thin, "paddle", 0.2, threads="unset")]
    kept = [row(thin, "torch", 0.4), row(thin, "torch", 0.1, allocator="tuned")]
    sweep = replace(record, title="Conditions", about="About it.", measurements=[*threads, *kept])
    text = render(record, sweeps={"conditions": sweep})
    section = text[text.index("## What else changes the times") :]
    assert "takes 20.00x [20.00, 20.00] of torch's time" in section
    assert f"if the variable is not set. On `{thin}` it takes 200 ms, 2.00x [2.00, 2.00]" in section
    assert f"told to keep them, torch takes 100 ms on `{thin}`, 0.25x [0.25, 0.25] of its time" in section
    assert "## Conditions\n\nAbout it. From `convparity sweep report/sweeps/conditions.yaml`" in section
    assert line(section, "| paddle threads unset", "2.00x [")


def test_what_is_missing_is_said_where_it_is_missed(record: RunRecord) -> None:
    case = STACKS["separable_stack"]
    record.measurements = [m for m in record.measurements if (m.case, m.backend) != (case, "jax")]
    record.unavailable = [
        Unavailable("jax", case, "timing", "its process was killed by SIGKILL", "forward", "float32", Config("jax")),
        Unavailable("paddle", "", "installation", "backend `paddle` needs `paddle`"),
    ]
    text = render(record)
    section = text[text.index(f"### `{case}`") :].partition("\n# ")[0]
    assert all("not available" in line(section, f"| {name}") for name in ("jax", "paddle"))
    assert "its process was killed by SIGKILL" in text[text.index("## Not available") :]
    assert "everything" in line(text[text.index("## Not available") :], "| paddle")
    assert "**time in torch**" in text
    assert "**time in jax**" not in text
    assert "not available" in line(text, "| `conv_bn_act`")


def test_a_disagreement_is_in_the_matrix_the_summary_and_the_list(record: RunRecord) -> None:
    record.checks.append(checked("jax", False, 1.0, "conv_bn_act-s2_bias"))
    text = render(record)
    assert "**1 do not agree.**" in text
    assert cells(line(text, "| `conv_bn_act` "))[1:] == ["agrees 1/1, margin 4.0", "**DIFFERS** 1/2, margin 0.0"]
    assert "- [conv_bn_act-s2_bias / jax] forward" in text


def test_nothing_is_computed_twice(record: RunRecord, tuning: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """The A/A spread once a table, and the interval of each pair of rows once at each level."""
    record = replace(record, measurements=[row(STACKS["conv_stack"], name, 1.0) for name in ("torch", "jax")])
    spreads, ratios = [], []
    spread, ratio = statistics.spread, statistics.ratio

    def counted(one: Measurement, other: Measurement, noise: statistics.Spread, pairs: int = 1) -> statistics.Ratio:
        ratios.append((id(one), id(other), pairs))
        return ratio(one, other, noise, pairs)

    monkeypatch.setattr(statistics, "spread", lambda rows: spreads.append(rows[0].group) or spread(rows))
    monkeypatch.setattr(statistics, "ratio", counted)
    render(record, sweeps={"tuned_networks": tuning})
    assert sorted(spreads) == sorted([*Analysis(record).tables, *Analysis(tuning).tables])
    assert len(ratios) == len(set(ratios)) > 20


def test_the_report_of_checks_alone(record: RunRecord) -> None:
    record.costs, record.measurements = [], []
    text = render(record)
    assert "## Do they agree?" in text
    assert "## How long" not in text
    assert "\n\n\n" not in text


@pytest.fixture
def tuning(record: RunRecord) -> RunRecord:
    """Both stacks in two frameworks, tuned ones four and eight times as fast, and an engine twice as fast as those."""
    tuned: dict[str, Any] = {"variant": "tuned", "allocator": "tuned"}
    record.measurements = [
        measured
        for name, faster in (("conv_stack", 4), ("separable_stack", 8))
        for measured in (
            row(STACKS[name], "torch", 0.8, threads="unset"),
            row(STACKS[name], "jax", 1.6, threads="unset"),
            row(STACKS[name], "torch", 0.8 / faster, **tuned),
            row(STACKS[name], "jax", 1.6 / faster, **tuned),
            row(STACKS[name], "onnxruntime", 0.4 / faster),
        )
    ]
    return replace(record, title="Inference", about="In turns.")


def test_what_tuning_buys_is_against_the_reference_of_the_same_framework(record: RunRecord, tuning: RunRecord) -> None:
    text = render(record, sweeps={"tuned_networks": tuning})
    section = text.partition("## What tuning buys")[2].partition("<details>")[0]
    separable = cells(line(section, STACKS["separable_stack"], "| jax "))
    assert separable[2:4] == ["1,600", "200"]
    assert separable[4].startswith("8.00x [")
    assert separable[-1].startswith("onnxruntime 50.0 ms: 0.25x [")
    assert cells(line(section, STACKS["conv_stack"], "| torch "))[4].startswith("4.00x [")
    for name, last in (("torch", "2.00x [1."), ("jax", "tie (1.00x [0.")):
        arrives = cells(line(section, f"| {name} ", "(torch)"))
        starts = zip(arrives[1:], ("tie (1.00x [", "2.00x [", last), strict=True)
        assert all(cell.startswith(start) for cell, start in starts)
    assert text.count("### Inference") == 1


def test_steps_are_against_the_one_before_and_the_first(tuning: RunRecord) -> None:
    tuning.measurements = [m for m in tuning.measurements if m.backend == "jax" and m.block == "conv_stack"]
    assert single(tuning)
    assert "What tuning buys" not in render(tuning)
    first, second = steps(Analysis(tuning)).rows
    assert first[1:] == ["jax threads unset", "1,600", "1.0", "", ""]
    assert second[1:3] == ["jax tuned", "400"]
    assert all(text.startswith("4.00x [") for text in second[4:])
