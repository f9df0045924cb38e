"""The report as one text: its parts in their order, and the front page last."""

from typing import Any

from report.paths import PAGE
from report.sections import page


def render(*records: Any, **others: Any) -> str:
    pages = page.render(*records, **others)
    return "\n".join([*(text for name, text in pages.items() if name != PAGE), pages[PAGE]])
