"""Files of weights and of maps: refused at once, read, and written whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

import frameworks
from common.files import MOST
from common.names import first_line, spelled
from common.port.alignment import NameMap, dump_map, load_map
from common.port.weights import PortError, is_index, usable
from common.results.writing import ResultsError, write_text
from common.spec.params import Arrays

PARTIAL = ".convparity-{}-"  # the start of the name of the folder that a process writes to at first, by its id


def reachable(source: tuple[str, Path] | None, destination: tuple[str, Path] | None) -> None:
    """Refuses at once a file that cannot be read or written; each is of a framework.

    Raises:
        PortError: if there is no file, no folder for it, or it has the suffix of no format of its framework.
    """
    try:
        there = source is None or source[1].exists()
        folder = destination is None or destination[1].parent.is_dir()
        taken = destination is not None and destination[1].is_dir()
    except OSError as error:  # a name that is too long
        raise PortError(f"cannot open {spelled(error.filename)}: {error.strerror}") from None
    if source and not there:
        raise PortError(f"cannot read {source[1]}: no such file")
    if destination and not folder:
        raise PortError(f"cannot write {destination[1]}: there is no folder {destination[1].parent}")
    for end in (source, destination):
        if end:
            _known_suffix(*end)
    if destination and taken:
        raise PortError(f"{destination[1]} exists already; a directory is not replaced")


def _known_suffix(backend: str, path: Path) -> None:
    suffixes = frameworks.part(backend, "files").SUFFIXES
    if path.suffix in suffixes or (path.is_dir() and "" in suffixes):
        return
    choices = ", ".join(suffix or "a directory (Orbax)" for suffix in suffixes)
    suffix = f"suffix `{path.suffix}`" if path.suffix else "no suffix"
    raise PortError(f"{path} has {suffix}; {backend} has weights in {choices}")


def most(sizes: Iterable[int]) -> int:
    """Bytes that a file may have, and its arrays: all of these sizes in float64, four times, as optimisers keep them.

    And some more, so that a file of another network is told apart by its names and shapes.
    """
    return 4 * 8 * sum(sizes) + 2**28


@contextlib.contextmanager
def _reading(backend: str, path: Path) -> Iterator[None]:
    try:
        yield
    except PortError as error:
        raise PortError(f"cannot read {path}: {error}") from None
    except OSError as error:
        raise PortError(f"cannot read {path}: {error.strerror or first_line(error)[:200]}") from None
    except Exception as error:  # a damaged file can raise anything
        raise PortError(f"cannot read {path}: damaged, or not of {backend} ({first_line(error)[:200]})") from None


def read_state(backend: str, path: Path, most: int = MOST, numbers: bool = True) -> tuple[Arrays, list[str]]:
    """The arrays of a file by the framework's names and layouts, and notes on what was removed around them.

    No more than ``most`` bytes are read, and no arrays are made that would take more; for ``numbers`` see
    `common.protocols.Files`.

    Raises:
        PortError: in one line, if the file is missing, damaged or hostile.
    """
    with _reading(backend, path):
        return frameworks.part(backend, "files").read(path, most, numbers)


def read(backend: str, path: Path, most: int = MOST, numbers: bool = True) -> tuple[Arrays, list[str]]:
    """`read_state` as canonical arrays, under the file's module paths, without what is no weight.

    Raises:
        PortError: in one line, if the file is missing, damaged or hostile, or has other than real numbers.
    """
    native, notes = read_state(backend, path, most, numbers)
    with _reading(backend, path):
        arrays = frameworks.part(backend, "layout").from_native(native)
        if len(arrays) < len(native):  # step counters, by their own name
            notes.append(left_out(sorted(native.keys() - arrays.keys())))
        if others := [name for name, array in arrays.items() if is_index(name, array)]:
            notes.append(left_out(others))
        arrays = {name: array for name, array in arrays.items() if name not in others}
        usable(arrays)
    return {name: np.asarray(array, order="C") for name, array in arrays.items()} if numbers else arrays, notes


def left_out(names: Sequence[str]) -> str:
    """A sentence on what is no weight."""
    return f"left out what is no weight: {some(names)}"


def some(names: Sequence[str]) -> str:
    """The first of the names, and how many more there are."""
    return f"`{names[0]}`" + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def write_map(path: Path, names: NameMap) -> None:
    """Writes a map file.

    Raises:
        PortError: if it cannot.
    """
    try:
        write_text(path, dump_map(names))
    except ResultsError as error:
        raise PortError(str(error)) from None


def read_map(path: Path | None) -> NameMap:
    """A map file, or no names."""
    return load_map(path) if path else {}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path of the same name to write to; it replaces ``path`` if nothing is raised."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=PARTIAL.format(os.getpid()), dir=path.parent))
        try:
            yield folder / path.name
            (folder / path.name).replace(path)
        finally:
            shutil.rmtree(folder)
    except OSError as error:
        raise PortError(f"cannot write {path}: {error.strerror or error}") from None


def write(backend: str, path: Path, native: Arrays) -> None:
    """Writes a state by the framework's names and layouts.

    Raises:
        PortError: if it cannot: the libraries of some formats raise errors of their own for a full disk.
    """
    try:
        frameworks.part(backend, "files").write(path, native)
    except OSError:
        raise
    except Exception as error:
        raise PortError(f"cannot write {path.name}: {first_line(error)[:200]}") from None


def same(one: np.ndarray, other: np.ndarray | None) -> bool:
    """Whether two arrays have the same type, shape and bits."""
    return (
        other is not None and one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )
