"""docs/port/: the way through a port as a page and as a notebook, both from the cells of docs/port/port.py."""

import json
import re
from collections.abc import Iterator

from report.guide.page import code, page
from report.paths import DOCS

PROGRAM = DOCS / "port" / "port.py"


def way() -> Iterator[tuple[str, str]]:
    """The page and the notebook by their path in docs/."""
    written = list(_cells(PROGRAM.read_text("utf-8")))
    yield "port/index.md", page("The way through a port", *(text if words else code(text) for words, text in written))
    cells = [_cell(number, words, text) for number, (words, text) in enumerate(written)]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    yield "port/port.ipynb", json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _cells(program: str) -> Iterator[tuple[bool, str]]:
    """The text of each cell, and whether it is words; what stands before the first is left out."""
    for kind, text in re.findall(r"^# %%( \[markdown\])?\n(.*?)(?=^# %%|\Z)", program, re.DOTALL | re.MULTILINE):
        yield bool(kind), re.sub(r"^# ?", "", text, flags=re.MULTILINE).strip() if kind else text.strip()


def _cell(number: int, words: bool, text: str) -> dict[str, object]:
    kind = {"cell_type": "markdown"} if words else {"cell_type": "code", "execution_count": None, "outputs": []}
    return {**kind, "id": f"step-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}
