"""Keeps our packages apart from the packages of a project that has some of the same names: whose `common` is it?

A leaf: it imports none of our packages, so that any module may use it.
"""

import sys
from pathlib import Path
from types import ModuleType, TracebackType

NAMES = ("common", "frameworks", "report")
ROOT = str(Path(__file__).parents[1])


class Packages:
    """The packages called `NAMES` on ``path``: inside ``with`` imports get these, outside those of before.

    Modules that are imported inside stay for the next ``with``. Blocks nest.
    """

    def __init__(self, path: list[str]) -> None:
        self.path = path
        self._modules: dict[str, ModuleType] = {}

    def _leave(self) -> None:
        self.path = sys.path[:]
        self._modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in NAMES}
        for name in self._modules:
            del sys.modules[name]

    def _enter(self) -> None:
        sys.modules.update(self._modules)
        sys.path[:] = self.path

    def __enter__(self) -> None:
        _active[-1]._leave()
        _active.append(self)
        self._enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        _active.pop()
        _active[-1]._enter()


def of_project(*folders: str) -> Packages:
    """The packages of a project in these folders, without ours."""
    return Packages([*folders, *(entry for entry in sys.path if entry != ROOT)])


def _program_is_ours() -> bool:
    return str(getattr(sys.modules.get("common"), "__file__", None)).startswith(ROOT)


PROGRAM = Packages(sys.path[:])  # the packages of the running program
_active = [PROGRAM]
OURS = PROGRAM if _program_is_ours() else Packages([ROOT, *(entry for entry in sys.path if entry != ROOT)])


def forget(folder: str) -> None:
    """Lets the program and our packages import nothing from a folder of the path, unless ours are in it."""
    sys.path.remove(folder)
    if folder != ROOT:
        OURS.path.remove(folder)
