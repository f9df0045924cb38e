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
    if name not in (choices := list(choices)):
        raise UnknownName(f"unknown {kind} `{name}`; choose from {', '.join(choices)}")
    return name


def shown(value: object, most: int = 100) -> str:
    """A value or name that others wrote, for a message: one line, printable, of at most ``most`` characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of more than 4,300 digits, lists within lists
        text = f"a very large {type(value).__name__}"
    if type(value) is str:  # what is plain stays as it is
        text = text[1:-1]
    return text if len(text) <= most else f"{text[: most - 3]}..."


def first_line(error: BaseException) -> str:
    """``ValueError: the first line of its message``, or, without a message, where it was raised."""
    if lines := str(error).strip().splitlines():
        return f"{type(error).__name__}: {lines[0]}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {frame.line}"
