"""Weights from one framework's file to another's: read, fitted to a block, verified in the target, and then written."""

import contextlib
import itertools
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import frameworks
from common.check.judge import Expected
from common.files import MOST
from common.layers.values import SpecError
from common.names import first_line, known, spelled
from common.oracle import reference, rounding
from common.port.alignment import NameMap, dump_map, leaves, load_map, renamed
from common.port.evidence import align_file
from common.port.weights import Disagreement, PortError, finite, fit, is_index, usable
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.results.writing import ResultsError, write_text
from common.session.session import Session
from common.spec import BlockSpec, inputs
from common.spec.catalogue import block as catalogue_block
from common.spec.params import Arrays

SAMPLED = 2**26  # values of the largest activation in a verification
SIZES = (9, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224, 256, 288, 320, 384, 448, 512)
PARTIAL = ".convparity-{}-"  # the start of the name of the folder that a process writes to at first, by its id
UNSEEN = (
    "not verified: that the code which the file belongs to computes this block (epsilon, activations, padding): it was "
    "not run"
)


@dataclass(frozen=True)
class Ported:
    """What was written: the canonical arrays, sentences on what was done, and the file's layer names by the spec's."""

    arrays: Arrays
    notes: tuple[str, ...]
    names: NameMap


def port(
    source: Path | str,
    destination: Path | str,
    *,
    from_: str,
    to: str,
    block: str,
    options: Mapping[str, Any] | None = None,
    names: NameMap | None = None,
    by_structure: bool = False,
    save_map: Path | None = None,
) -> Ported:
    """Writes the weights of a catalogue block in one framework's file as another framework's, bit for bit.

    The file's suffix is its format: see ``SUFFIXES`` in ``frameworks/<name>/files.py``. ``names`` maps the spec's layer
    names to the file's where they differ; ``by_structure`` finds them from the layers' order and shapes. Nothing in
    the file is executed. Before anything is written the weights are read back from the new file and from the block
    built in the target framework, and its output is compared with the reference.

    Raises:
        PortError: for a file that cannot be read, does not fit, or cannot be written; nothing is written then.
        Disagreement: if the target does not hold or compute what it should; nothing is written then.
        UnknownName: for a backend or block that does not exist.
        SpecError: for options that the block does not have.
        MissingFramework: if one of the frameworks is not installed.
    """
    source, destination = Path(source), Path(destination)
    for name in (from_, to):
        known("backend", name, frameworks.BACKENDS)
    spec = catalogue_block(block, **(options or {}))
    try:
        there, folder, taken = source.exists(), destination.parent.is_dir(), destination.is_dir()
    except OSError as error:  # a name that is too long
        raise PortError(f"cannot open {spelled(error.filename)}: {error.strerror}") from None
    if not there:
        raise PortError(f"cannot read {source}: no such file")
    if not folder:
        raise PortError(f"cannot write {destination}: there is no folder {destination.parent}")
    reader, writer = frameworks.part(from_, "files"), frameworks.part(to, "files")
    _known_suffix(from_, source, reader.SUFFIXES)
    _known_suffix(to, destination, writer.SUFFIXES)
    if taken:
        raise PortError(f"{destination} exists already; a directory is not replaced")
    arrays, notes = read(from_, source, _most(spec))
    names, matched = _names(spec, arrays, names or {}, by_structure, save_map)
    arrays = fit(spec, renamed(arrays, names))
    finite(arrays)
    notes = [*notes, *matched]
    with _replacing(destination) as part:
        writer.write(part, frameworks.part(to, "layout").to_native(arrays))
        written, _ = read(to, part)
        if wrong := [name for name in arrays if not _same(arrays[name], written.get(name))]:
            raise Disagreement(f"`{wrong[0]}` reads back from {to}'s file as something else")
        notes += [_verified(to, spec, arrays), UNSEEN]
    return Ported(arrays, tuple(notes), names)


def _known_suffix(backend: str, path: Path, suffixes: Sequence[str]) -> None:
    if path.suffix in suffixes or (path.is_dir() and "" in suffixes):
        return
    choices = ", ".join(suffix or "a directory (Orbax)" for suffix in suffixes)
    suffix = f"suffix `{path.suffix}`" if path.suffix else "no suffix"
    raise PortError(f"{path} has {suffix}; {backend} has weights in {choices}")


def _most(spec: BlockSpec) -> int:
    """Bytes that a file for this block may have, and its arrays: all in float64, four times, as optimisers keep them.

    And some more, so that a file of another block is told apart by its names and shapes.
    """
    return 4 * 8 * sum(param.size for param in spec.params()) + 2**28


def read(backend: str, path: Path, most: int = MOST) -> tuple[Arrays, list[str]]:
    """The canonical arrays of a file, under the file's module paths, and notes on what was removed around them.

    No more than ``most`` bytes are read, and no arrays are made that would take more.

    Raises:
        PortError: in one line, if the file is missing, damaged or hostile, or has other than real numbers.
    """
    try:
        native, notes = frameworks.part(backend, "files").read(path, most)
        arrays = frameworks.part(backend, "layout").from_native(native)
        if len(arrays) < len(native):  # step counters, by their own name
            notes.append(_left_out(sorted(native.keys() - arrays.keys())))
        if others := [name for name, array in arrays.items() if is_index(name, array)]:
            notes.append(_left_out(others))
        arrays = {name: array for name, array in arrays.items() if name not in others}
        usable(arrays)
    except PortError as error:
        raise PortError(f"cannot read {path}: {error}") from None
    except OSError as error:
        raise PortError(f"cannot read {path}: {error.strerror or first_line(error)[:200]}") from None
    except Exception as error:  # a damaged file can raise anything
        raise PortError(f"cannot read {path}: damaged, or not of {backend} ({first_line(error)[:200]})") from None
    return arrays, notes


def _left_out(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"left out what is no weight: `{names[0]}`{more}"


def _names(
    spec: BlockSpec, arrays: Arrays, names: NameMap, by_structure: bool, save_map: Path | None
) -> tuple[NameMap, list[str]]:
    """The file's name for each layer of the spec, and a note on how they were matched."""
    if not by_structure:
        return names, []
    spec_leaves = leaves({param.name: param.shape for param in spec.params()})
    file_leaves = leaves({name: array.shape for name, array in arrays.items()})
    alignment = align_file(spec_leaves, file_leaves, names)
    if save_map:
        write_map(save_map, alignment.names)
    if alignment.doubts:
        advice = "give the right names with --map" + (
            f" (a guess is in {save_map})" if save_map else ", --save-map F writes a guess"
        )
        raise PortError(f"which layer is which is not certain: {advice}", alignment.doubts)
    return alignment.names, [f"matched {len(alignment.names)} layers {alignment.how}"]


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
def _replacing(path: Path) -> Iterator[Path]:
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


def _same(one: np.ndarray, other: np.ndarray | None) -> bool:
    return (
        other is not None and one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


def _preference(size: tuple[int, int]) -> tuple[bool, int]:
    height, width = size
    return height == width, abs(height * width - 32 * 48)


def sample_shape(spec: BlockSpec) -> tuple[int, int, int, int]:
    """The shape of an input that the block takes: of moderate size, height and width different if possible.

    Raises:
        SpecError: if it takes none of the sizes that are tried.
    """
    for height, width in sorted(itertools.product(SIZES, SIZES), key=_preference):
        with contextlib.suppress(SpecError):
            shapes = spec.shapes(shape := (1, spec.in_channels, height, width))
            if max(map(math.prod, shapes.values())) <= SAMPLED:
                return shape
    raise SpecError(
        f"`{spec.family}` takes no input of {SIZES[0]} to {SIZES[-1]} pixels with at most {SAMPLED} values in a layer, "
        "so it cannot be verified"
    )


def _verified(backend: str, spec: BlockSpec, arrays: Arrays) -> str:
    """Builds the block in the target framework and compares its arrays and its output; a sentence about it."""
    dtype = "float64" if any(array.dtype == np.float64 for array in arrays.values()) else "float32"
    shape = sample_shape(spec)
    x = inputs.make("random", shape)
    values, output = reference.run(spec, arrays, x), spec.nodes[-1].name
    expected = Expected("random", x, values[output], rounding.allowances(spec, arrays, values, dtype)[output])
    try:
        if dtype == "float64":  # JAX decides once in a process whether there are 64-bit types
            worker = Worker(backend, frameworks.module(backend), machine.processors(), x64=True)
            try:
                problem = worker.ask("verify", spec, arrays, dtype, expected)
            finally:
                worker.stop()
        else:
            problem = Session(frameworks.module(backend)).verify(spec, arrays, dtype, expected)
    except WorkerFailed as error:
        problem = str(error)
    if problem:
        raise Disagreement(f"{backend} with these weights: {problem}")
    size = "x".join(map(str, shape))
    constant = ", but its output is almost constant, which proves little" if expected.degenerate else ""
    return (
        f"verified: every array reads back from {backend}'s file and from `{spec.family}` in {backend} bit for bit; "
        f"`{spec.family}` computes the reference with them (input {size}){constant}"
    )
