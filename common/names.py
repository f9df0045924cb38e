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


def first_line(error: BaseException) -> str:
    """``ValueError: the first line of its message``, or, without a message, where it was raised."""
    if lines := str(error).strip().splitlines():
        return f"{type(error).__name__}: {lines[0]}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {frame.line}"
