"""Mistakes in the text of a framework's hand-written blocks, which are built from no graph."""

import contextlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import ModuleType

from common.faults.injection import Fault


@dataclass(frozen=True)
class Edit:
    """Text that occurs once in ``blocks/<stem>.py``, and the wrong text in its place.

    ``layer`` is where the mistake begins, if this framework sees other layers there than the fault says.
    """

    stem: str
    right: str
    wrong: str
    layer: str = ""


@contextlib.contextmanager
def rewritten(module: ModuleType, right: str, wrong: str) -> Iterator[None]:
    """While active, the module's functions and classes are those of its text with the wrong text in place of the right.

    Others see them if they look them up in the module.

    Raises:
        ValueError: if the right text does not occur once.
    """
    source = inspect.getsource(module)
    if (times := source.count(right)) != 1:
        raise ValueError(f"{module.__name__} must have this text once, not {times} times: {right}")
    names = dict(vars(module))
    try:
        # In the module itself: the layers of a function are watched by their names there.
        exec(compile(source.replace(right, wrong), str(module.__file__), "exec"), vars(module))
        yield
    finally:
        vars(module).update(names)


@contextlib.contextmanager
def applied(fault: Fault, faults: ModuleType) -> Iterator[Fault]:
    """The fault as it is in this framework; while active, its hand-written blocks have it, if it is one in their text.

    ``faults`` is the framework's module of that name; its ``EDITS`` has the `Edit` of each such mistake.

    Raises:
        ValueError: if the right text does not occur once.
    """
    if not fault.written:
        yield fault
        return
    edit, package = faults.EDITS[fault.id], f"{faults.__package__}.blocks"
    module, blocks = sys.modules[f"{package}.{edit.stem}"], sys.modules[package].BLOCKS
    right = dict(blocks)
    of_module = {name: block.__name__ for name, block in right.items() if block.__module__ == module.__name__}
    with rewritten(module, edit.right, edit.wrong):
        try:
            blocks.update({name: vars(module)[block] for name, block in of_module.items()})
            yield replace(fault, layer=edit.layer or fault.layer)
        finally:
            blocks.update(right)
