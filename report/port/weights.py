"""A block's weights from one framework's file to another's: read, fitted, verified in the target, and then written."""

import contextlib
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import frameworks
from common.check.judge import Expected
from common.layers.values import SpecError
from common.names import known
from common.oracle import reference, rounding
from common.port.alignment import NameMap, leaves, renamed
from common.port.evidence import align_file
from common.port.matching import squeezed
from common.port.orders import in_shape
from common.port.weights import Disagreement, PortError, finite, fit
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.session.session import Session
from common.spec import BlockSpec, inputs
from common.spec.catalogue import block as catalogue_block
from common.spec.params import Arrays
from report.port.nearest import suggesting
from report.port.stored import most, reachable, read, replacing, same, write, write_map

SAMPLED = 2**26  # values of the largest activation in a verification
SIZES = (9, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224, 256, 288, 320, 384, 448, 512)
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
    the file is executed; shapes are compared before numbers are read. Before anything is written the weights are read
    back from the new file and from the block built in the target framework, and its output is compared with the
    reference.

    Raises:
        PortError: for a file that cannot be read, does not fit, or cannot be written; nothing is written then.
        Disagreement: if the target does not hold or compute what it should; nothing is written then.
        UnknownName: for a backend or block that does not exist.
        SpecError: for options that the block does not have.
        MissingFramework: if one of the frameworks is not installed.
    """
    source, destination = Path(source), Path(destination)
    from_, to = (known("backend", name, frameworks.BACKENDS) for name in (from_, to))
    spec = catalogue_block(block, **(options or {}))
    reachable((from_, source), (to, destination))
    limit = most(param.size for param in spec.params())
    shells, _ = read(from_, source, limit, numbers=False)
    with suggesting(spec, lambda: shells):
        names, matched = _names(spec, shells, names or {}, by_structure, save_map)
        _fitted(spec, shells, names)
    arrays, notes = read(from_, source, limit)
    arrays, forms = _fitted(spec, arrays, names)
    finite(arrays)
    notes = [*notes, *matched, *forms]
    with replacing(destination) as part:
        write(to, part, frameworks.part(to, "layout").to_native(arrays))
        written, _ = read(to, part)
        if wrong := [name for name in arrays if not same(arrays[name], written.get(name))]:
            raise Disagreement(f"`{wrong[0]}` reads back from {to}'s file as something else")
        notes += [_verified(to, spec, arrays), UNSEEN]
    return Ported(arrays, tuple(notes), names)


def _names(
    spec: BlockSpec, arrays: Arrays, names: NameMap, by_structure: bool, save_map: Path | None
) -> tuple[NameMap, list[str]]:
    """The file's name for each layer of the spec, and a note on how they were matched."""
    if not by_structure:
        return names, []
    spec_leaves = leaves({param.name: param.shape for param in spec.params()})
    file_leaves = leaves({name: array.shape for name, array in arrays.items()})
    try:
        alignment = align_file(spec_leaves, file_leaves, names)
    except PortError as error:
        try:
            alignment = align_file([*map(squeezed, spec_leaves)], [*map(squeezed, file_leaves)], names)
        except PortError:
            raise error from None
    if save_map:
        write_map(save_map, alignment.names)
    if alignment.doubts:
        advice = "give the right names with --map" + (
            f" (a guess is in {save_map})" if save_map else ", --save-map F writes a guess"
        )
        raise PortError(f"which layer is which is not certain: {advice}", alignment.doubts)
    return alignment.names, [f"matched {len(alignment.names)} layers {alignment.how}"]


def _fitted(spec: BlockSpec, arrays: Arrays, names: NameMap) -> tuple[Arrays, list[str]]:
    """The arrays by the spec's names and in its shapes, and notes on the shapes that the file has; raises as `fit`."""
    arrays, forms = in_shape({param.name: param.shape for param in spec.params()}, renamed(arrays, names))
    return fit(spec, arrays), forms


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
