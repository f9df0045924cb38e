"""Progress on standard error: a bar on a terminal, plain lines elsewhere, and how long the rest will take."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self


class Progress:
    """Counts steps: `step` ends one, `say` shows the current work, `note` prints a line that stays.

    ``work`` has a number a step, of seconds or of anything that seconds grow with: what is done tells what is left.
    """

    def __init__(self, work: Sequence[float]) -> None:
        self._work = work
        self._done = 0
        self._start = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            columns = (
                BarColumn(20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}{task.description}", markup=False),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=len(work), left="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Shows the current work; on a terminal only."""
        if self._bar:
            self._bar.update(self._task, description=text)

    def begin(self) -> None:
        """Counts the time from now: what comes before the first step says nothing of what is left."""
        self._start = time.monotonic()

    def step(self, text: str) -> None:
        """Ends a step that had this outcome."""
        self._done += 1
        left = self._left()
        if self._bar:
            self._bar.update(self._task, advance=1, description=text, left=left and f"{left}; ")
        else:
            _print(f"[{self._done:3}/{len(self._work)}] {text}{left and f'; {left}'}")

    def _left(self) -> str:
        """``about 40 s left``, if what was done goes on at its pace; nothing after the last step."""
        if not (rest := sum(self._work[self._done :])):
            return ""
        seconds = (time.monotonic() - self._start) * rest / sum(self._work[: self._done])
        return f"about {seconds:.0f} s left" if seconds < 100 else f"about {seconds / 60:.0f} min left"

    def note(self, text: str) -> None:
        """Prints a line that stays."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            _print(f"          {text}")


@contextlib.contextmanager
def passes() -> Iterator[Callable[[str], None]]:
    """While active, shows the current work, which it is told, and how long all takes; on a terminal only."""
    with Progress([0]) as progress:
        yield progress.say


def _print(line: str) -> None:
    with contextlib.suppress(OSError):  # that nobody can read it does not end the work
        print(line, file=sys.stderr, flush=True)
