"""Names that a user gives, checked against their lists; and an error in one line."""

import traceback
from collections.abc import Iterable
from pathlib import Path


class UnknownName(ValueError):
    """A name that is not in its list; the message holds the list."""


def known(kind: str, name: str, choices: Iterable[str]) -> str:
    """``name`` if it is one of ``choices``.

    Raises:
        UnknownName: with the choices, if it is not.
    """
    if not isinstance(name, str) or name not in (choices := list(choices)):
        raise UnknownName(f"unknown {kind} `{spelled(name)}`; choose from {', '.join(choices)}")
    return name


def shown(value: object, most: int = 100) -> str:
    """A value that others gave, as Python writes it, for a message: one printable line of at most ``most`` letters."""
    try:
        text = repr(value)
    except Exception:  # an integer of more than 4,300 digits, lists within lists, a class of theirs
        text = f"unprintable {type(value).__name__}"
    return printable(text, most)


def spelled(name: object, most: int = 100) -> str:
    """A name that others gave, as `shown` writes it, but without quotes."""
    return printable(repr(name)[1:-1], most) if type(name) is str else shown(name, most)


def printable(text: str, most: int) -> str:
    """A text without what moves a terminal's cursor, cut after ``most`` letters."""
    text = text if len(text) <= most else f"{text[: most - 3]}..."
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def first_line(error: BaseException) -> str:
    """``ValueError: the first line of its message``, or, without a message, where it was raised."""
    if lines := str(error).strip().splitlines():
        return f"{type(error).__name__}: {lines[0]}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {frame.line}"
