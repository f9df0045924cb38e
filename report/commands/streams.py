"""Standard output and error as they may be: closed, full, a pipe that nobody reads, or without some characters."""

import contextlib
import io
import os
import sys
import traceback
from pathlib import Path

import click


def prepare() -> None:
    """Opens what is closed, so that no other file gets its number; what an encoding lacks is printed as its code."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def tell(text: str) -> None:
    """Prints a line on standard error; that it cannot be printed is no reason to end."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def named(error: OSError) -> str:
    """An error with the file that it is about, or that it came from printing."""
    raised = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    what = "cannot print" if raised.parent.name in ("click", "rich") else error.filename or type(error).__name__
    return f"{what}: {error.strerror or error}"


def settle() -> None:
    """Drops what could not be printed, or Python would try again at its end and change the exit status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
