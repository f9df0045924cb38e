"""Names that a user gives, checked against their lists; and an error in one line."""

import difflib
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

ALSO = {"pytorch": "torch", "paddlepaddle": "paddle"}  # what people, and pip, call two of the backends
SHORT = 6  # choices that are listed, though some are near


class UnknownName(ValueError):
    """A name that is not in its list; the message holds the list."""


def known(kind: str, name: str, choices: Iterable[str]) -> str:
    """``name`` if it is one of ``choices``, or the choice that it is another name of.

    Raises:
        UnknownName: with the nearest choice, or with all, if it is not.
    """
    choices = list(choices)
    if isinstance(name, str):
        for spelling in (name, ALSO.get(name.lower())):
            if spelling in choices:
                return spelling
    raise UnknownName(f"unknown {kind} `{spelled(name, 80)}`; {advice(name, choices, 'choose from')}")


def advice(name: object, choices: Sequence[str], before: str) -> str:
    """``did you mean `alpha`?`` if there are many choices and some are near; else all of them, ``before`` that."""
    near = []
    if isinstance(name, str) and len(name) <= 100 and len(choices) > SHORT:
        near = difflib.get_close_matches(name, choices)
    named = " or ".join(f"`{choice}`" for choice in choices if choice in near)
    return f"did you mean {named}?" if near else f"{before} {', '.join(choices)}"


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
