"""Tables and numbers as text: for a terminal and for Markdown."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from common.results.record import RunRecord


@dataclass(frozen=True)
class Table:
    """A header and rows of cells that are already text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def plain(table: Table) -> str:
    """For a terminal."""
    rows, header = [[*map(unmarked, row)] for row in table.rows], [*map(unmarked, table.header)]
    return tabulate(rows, header, tablefmt="simple", disable_numparse=True, colalign=_align(table))


def unmarked(text: str) -> str:
    """Without Markdown's marks of bold text and code, which a terminal does not draw."""
    return text.replace("**", "").replace("`", "")


def markdown(table: Table) -> str:
    """For GitHub."""
    return tabulate(table.rows, table.header, tablefmt="pipe", disable_numparse=True, colalign=_align(table))


def _align(table: Table) -> list[str] | None:
    """Columns of numbers to the right, of text to the left."""
    columns = list(zip(*table.rows, strict=True))
    numeric = re.compile(r"(?!.*[a-z]{4})[\d*].*|not available|")  # a unit or a word of three letters may follow
    return ["right" if all(map(numeric.fullmatch, column)) else "left" for column in columns] or None


def unique(items: Iterable[str]) -> list[str]:
    """In order of first appearance."""
    return list(dict.fromkeys(items))


def number(value: float) -> str:
    """An integer with its thousands set apart."""
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """Two digits, or all that are before the point."""
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"


def size(count: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, scale in (("MiB", 2**20), ("KiB", 2**10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def shape(sizes: Iterable[int]) -> str:
    """``1x3x224x224``."""
    return "x".join(map(str, sizes))


def milliseconds(seconds: float) -> str:
    """Three significant digits."""
    value = 1e3 * seconds
    return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}"


def ran(record: RunRecord, command: str) -> str:
    """The run that a record's numbers are from."""
    when, commit = record.environment["date"][:10], record.environment["commit"]
    return f"`convparity {command}` on {when} at commit `{commit}`, in {record.seconds / 60:.1f} minutes"
