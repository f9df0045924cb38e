"""Progress on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import Self


class Progress:
    """Counts ``steps`` steps: `step` ends one, `say` shows the current work, `note` prints a line that stays."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = 0
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            columns = (
                BarColumn(20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}", markup=False),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=steps)

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

    def step(self, text: str) -> None:
        """Ends a step that had this outcome."""
        self._done += 1
        if self._bar:
            self._bar.update(self._task, advance=1, description=text)
        else:
            print(f"[{self._done:3}/{self._steps}] {text}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Prints a line that stays."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(f"          {text}", file=sys.stderr, flush=True)
