"""A number that is not from the page's run stands under a heading, or in a sentence, that names its machine."""

import re
from dataclasses import replace

import pytest

from common.results.record import RunRecord
from report.paths import HERE, RESULTS
from report.rendering import other_records, run_record
from report.sections.provenance import apart
from tests.support.pages import render

RECORD, OTHERS = run_record(HERE / RESULTS), other_records(HERE)


def on(record: RunRecord, **changed: str) -> RunRecord:
    return replace(record, environment=record.environment | changed)


def test_on_another_machine_every_section_of_the_committed_runs_names_theirs() -> None:
    """As after `make report` elsewhere: the run is another machine's, and all else is the checkout's."""
    page = render(on(RECORD, cpu="ANOTHER"), **OTHERS)
    assert "ANOTHER" in page
    unnamed = [text for text in _told_of_another_run(page) if _machine(text) not in text.partition("\n\n")[0]]
    assert not unnamed


def _machine(text: str) -> str:
    """Of the run that the text names; a sentence that names none is of the page's record."""
    records = [OTHERS["selftest"], OTHERS["calibration"], OTHERS["training"], *OTHERS["sweeps"].values(), RECORD]
    runs = [record.environment for record in records]
    return next(
        (run["cpu"] for run in runs if f"on {run['date'][:10]} at commit `{run['commit']}`" in text), runs[-1]["cpu"]
    )


def _told_of_another_run(page: str) -> list[str]:
    """The headings and sentences of the page whose numbers are from a run that is not the page's."""
    paragraphs = page.split("\n\n")
    own = "`convparity report"
    headings = [i for i, text in enumerate(paragraphs) if re.match("##+ ", text)]
    told = []
    for start, end in zip(headings, [*headings[1:], len(paragraphs)], strict=True):
        text = "\n\n".join(paragraphs[start:end])
        if re.search(r"`convparity (sweep|bench|selftest|train)[^`]*` on 20", text) and own not in text:
            told.append(text)
    assert len(told) > 10
    return told + re.findall(r"^- \*\*(?:Paddle in a plain|Page faults).*$", page, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("cpu", "another", "another"),
        ("threads a framework", "1", "threads a framework 1"),
        ("python", "3.9.1", "python 3.9.1"),
        ("numpy", "1.0", "numpy 1.0"),
    ],
)
def test_what_differs_is_told(name: str, value: str, told: str) -> None:
    assert apart(on(RECORD, **{name: value}), RECORD) == [told]


def test_another_version_of_a_framework_is_told() -> None:
    backends = RECORD.backends | {"jax": RECORD.backends["jax"] | {"jaxlib": "0.1"}}
    assert apart(replace(RECORD, backends=backends), RECORD) == ["jaxlib 0.1"]


def test_a_machine_that_ran_at_half_its_speed_is_told() -> None:
    assert RECORD.peaks
    slow = replace(RECORD, peaks=replace(RECORD.peaks, flops=RECORD.peaks.flops / 2))
    (line,) = apart(slow, RECORD)
    assert line.startswith("a peak of ")


def test_the_same_conditions_need_no_word() -> None:
    assert apart(on(RECORD, date="2001-01-01", commit="another"), RECORD) == []
