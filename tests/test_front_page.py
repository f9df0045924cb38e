"""The report's front page: short, narrow, without a dead link, and true of the records that it speaks of."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from common.bench.analysis import Analysis
from common.results.record import Unavailable
from report import paths
from report.rendering import other_records, run_record
from report.sections import front
from report.sections.page import render
from report.sections.provenance import anchor
from report.text import percent

RECORD, OTHERS = run_record(paths.HERE / paths.RESULTS), other_records(paths.HERE)
PAGES = render(RECORD, **OTHERS)
FRONT = PAGES[paths.PAGE]


def table(section: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    lines = FRONT.partition(f"## {section}")[2].splitlines()
    rows = [line for line in lines[: lines.index("## What to do") if "## What to do" in lines else None] if "|" in line]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:] if row.startswith("|")]


def test_the_front_page_is_short() -> None:
    assert len(FRONT.splitlines()) <= 150


@pytest.mark.parametrize("name", PAGES)
def test_no_table_is_wider_than_seven_columns(name: str) -> None:
    assert max(row.count("|") - 1 for row in PAGES[name].splitlines() if row.startswith("|")) <= 7


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[name]):
        if target.startswith("https://"):
            continue
        path, _, place = target.partition("#")
        file = (paths.HERE / name).parent / path if path else paths.HERE / name
        assert file.exists(), target
        if place:
            text = PAGES[file.resolve().relative_to(paths.HERE).as_posix()]
            anchors = {anchor(line.lstrip("# ")) for line in text.splitlines() if line.startswith("#")}
            assert place in anchors | set(re.findall(r'<a id="([^"]+)">', text)), target


def test_only_the_fastest_is_bold_and_its_ties_are_marked() -> None:
    """Of the committed run: in torch as written nothing ties with MobileNet, and tuned torch ties with Paddle."""
    run = front.most_told({name: Analysis(sweep) for name, sweep in OTHERS["sweeps"].items()})
    assert run
    rows = table("As written")
    assert {row[0] for row in rows} == {f"`{name}`" for name, *_ in run.tables}
    for column in (2, 3):
        for case in {row[0] for row in rows}:
            cells = [row[column] for row in rows if row[0] == case]
            (bold,) = (cell for cell in cells if "**" in cell)
            assert all(_number(bold) <= _number(cell) for cell in cells)
            assert bold.count("**") == 2


def _number(cell: str) -> float:
    return float(re.sub(r"[*,]|\(tie\)", "", cell))


def test_what_to_do_says_what_the_table_says() -> None:
    rows = table("As written")
    for case in dict.fromkeys(row[0] for row in rows):
        (line,) = re.findall(rf"^- \*\*Fastest for {re.escape(case)}\*\*: (.*)$", FRONT, re.MULTILINE)
        told = dict(zip(("as written", "tuned"), line.split("; "), strict=False))
        for column, words in ((2, told["as written"]), (3, told["tuned"])):
            (fastest,) = (row for row in rows if row[0] == case and "**" in row[column])
            assert f": {fastest[1]} ({fastest[column].strip('*')} ms)" in words
            for row in rows:
                if row[0] == case and row is not fastest:
                    tied = words.partition("in a tie with ")[2]
                    assert (row[1] in tied.split(", ")) == row[column].endswith("(tie)")


def test_what_is_missing_in_any_record_is_listed() -> None:
    lost = {
        name: replace(OTHERS[name], unavailable=[Unavailable("jax", "", name, f"KeyError: {name} failed. And more")])
        for name in ("selftest", "calibration", "training")
    }
    page = render(RECORD, **{**OTHERS, **lost})[paths.PAGE]
    section = page.partition("## Not available")[2].partition("## Contents")[0]
    for name in lost:
        assert re.search(rf"\| everything: {name} +\| {name} failed +\|", section)
    count = len(re.findall(r"^\| `", section, re.MULTILINE))
    total = sum(len(sweep.unavailable) for sweep in OTHERS["sweeps"].values()) + len(lost)
    assert 0 < count <= total
    assert f"**Missing:** {total}, " in page


def test_without_sweeps_the_front_page_has_the_times_of_its_run() -> None:
    page = render(RECORD)[paths.PAGE]
    assert "## Times\n" in page
    assert "As written" not in page
    assert "(parts/tuning.md" not in page


@pytest.mark.parametrize(("share", "text"), [(0.004, "0.4%"), (0.0456, "4.6%"), (0.0999, "10%"), (1.08, "108%")])
def test_a_percentage_has_two_digits(share: float, text: str) -> None:
    assert percent(share) == text


def test_all_pages_of_the_report_are_committed() -> None:
    assert set(PAGES) == set(paths.PAGES)
    assert {Path(name).name for name in PAGES} - {paths.PAGE} == {p.name for p in (paths.HERE / "parts").iterdir()}
