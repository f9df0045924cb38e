"""What a pair's page claims was asked of the frameworks or run; the rows that were not are listed as such."""

import re
from pathlib import Path

import pytest

from common.port.facts import ARGUMENTS, QUESTIONS
from common.spec.catalogue import names
from report.guide import pitfalls, rules
from report.paths import DOCS

PAGES = sorted((DOCS / "pairs").glob("*-to-*.md"))
ROW = re.compile(r"^\| *(.*?) *\|", re.MULTILINE)
TESTED = {
    "Rules": {"Kernels", "Linear weights", *(what for what, _ in rules.RULES.values())},
    "Arguments and defaults": {concept for concepts in ARGUMENTS.values() for concept in concepts} | {*ARGUMENTS},
    "Defaults and behaviour": {question.label for question in QUESTIONS.values()},
    "Pitfalls": {pitfall.link("../pitfalls/") for pitfall in pitfalls.load()},
    "Not tested": {*rules.PROSE},
}
HEADS = {"", "pitfall"}


def rows(section: str) -> set[str]:
    """The first cells of the tables in a section, without heads and rules."""
    return {cell for cell in ROW.findall(section) if not re.fullmatch(":?-+:?", cell)} - HEADS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_row_is_asked_of_the_frameworks_or_run_or_listed_as_not_tested(page: Path) -> None:
    sections = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n?)*)", page.read_text("utf-8"), re.MULTILINE))
    assert sections.keys() == {*TESTED, "Arrays"}  # the arrays' places are those that tests/test_guide.py looks up
    unknown = {title: rows(sections[title]) - tested for title, tested in TESTED.items()}
    assert not any(unknown.values()), unknown
    assert rows(sections["Not tested"]) == {*rules.PROSE}


def test_what_no_test_covers_is_said_on_one_page() -> None:
    about = (DOCS / "about.md").read_text("utf-8").split("## What no test covers\n")[1]
    assert all(f"*{kind}*" in about for kind in ("Not tested", "porting notes"))
    blocks = [path.read_text("utf-8") for path in (DOCS / "blocks").glob("*.md") if path.stem != "index"]
    assert len(blocks) == len(names())
    assert all("Porting notes: " in text for text in blocks)


def test_there_is_a_page_for_every_pair() -> None:
    assert len(PAGES) == 12
