"""The weights of one live network in another of any framework: matched, verified by running both, written."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from common.layers.values import Shape
from common.port.alignment import NameMap
from common.port.comparing import Comparison, How
from common.port.given import values_of
from common.port.live import Live
from common.port.matching import Matching, randomised
from common.port.orders import forms
from common.port.weights import Disagreement, PortError, Unmatched, finite, is_index, usable
from common.spec.params import Arrays
from report.port.modules import Input, compared, isolated, lines, remotes, shapes_of
from report.port.stored import left_out, most, reachable, read_state, replacing, same, some, write
from report.port.verdicts import judged

SIZES = ((64, 72), (224, 224), (32, 32), (28, 28))  # that most networks take one of


@dataclass(frozen=True)
class Carried:
    """What the second network got: its state, flat and as its framework's files have it, and its canonical arrays.

    ``notes`` say what was verified and what was not; ``names`` has the first's layers by the second's.
    """

    state: Arrays
    arrays: Arrays
    notes: tuple[str, ...]
    names: NameMap


def port_file(
    source: Path,
    destination: Path,
    first: str,
    second: str,
    *,
    shape: Input | None = None,
    names: NameMap | None = None,
    training: bool = False,
) -> Carried:
    """Writes the weights of network ``first`` in ``source`` as those of network ``second``: `report.port.targets`.

    ``shape`` is the input's, (n, c, h, w), or there are several; without it some are tried. ``names`` maps layers of
    the second to layers of the first. ``training`` is verified too.

    Raises:
        PortError: for a file or network that cannot be read, run, or matched; nothing is written then.
        Disagreement: if the two networks do not compute the same; nothing is written then.
    """
    with remotes(first, second) as (lives, kinds):
        return _ported(lives, kinds, shape, source, destination, names, training)


def port_modules(
    first: Any,
    second: Any,
    shape: Input | None = None,
    *,
    source: Path | None = None,
    destination: Path | None = None,
    names: NameMap | None = None,
    training: bool = False,
) -> Carried:
    """`port_file` for live modules of this process; without ``source`` the weights are those that ``first`` holds."""
    lives, kinds = isolated(first, second)
    return _ported(lives, kinds, shape, source, destination, names, training)


def _ported(
    lives: tuple[Any, Any],
    kinds: Sequence[str],
    shape: Input | None,
    source: Path | None,
    destination: Path | None,
    names: NameMap | None,
    training: bool,
) -> Carried:
    reachable(source and (kinds[0], source), destination and (kinds[1], destination))
    how = How(names and {one: other for other, one in names.items()}, training=training, reordered=True, folds=False)
    shapes, proof = _proved(lives, kinds, shape, how)
    first, second = lives
    arrays, notes = _stored(first, source) if source else (first.arrays(), [])
    finite(arrays)
    carried = _carried(lives, kinds, arrays, shapes, how, proof)
    if destination:
        with replacing(destination) as part:
            write(kinds[1], part, carried.state)
            written, _ = _stored(second, part)
            if wrong := [name for name, array in carried.arrays.items() if not same(array, written.get(name))]:
                raise Disagreement(f"`{wrong[0]}` reads back from {kinds[1]}'s file as something else")
        carried = replace(
            carried, notes=(*carried.notes, f"verified: every array reads back from {kinds[1]}'s file bit for bit")
        )
    return replace(carried, notes=(*notes, *carried.notes))


def _proved(
    lives: tuple[Any, Any], kinds: Sequence[str], shape: Input | None, how: How
) -> tuple[list[Shape], Comparison]:
    """The shapes of inputs, and the comparison of both networks, which agree, with arrays drawn at random.

    Raises:
        Disagreement: if they differ.
        PortError: if they take no such inputs.
    """
    problem = ""
    tried = [shape] if shape else [(2, channels, *size) for channels, size in itertools.product((3, 1), SIZES)]
    for shapes in map(shapes_of, tried):
        try:
            proof = compared(lives, kinds, shapes, how)
        except PortError as error:
            if isinstance(error, Unmatched) and (reason := _folded(lives, kinds, shapes, how)):
                raise PortError(reason) from None
            if shape:
                raise
            problem = problem or str(error)
            continue
        if not proof.agrees:
            reason = "the networks do not compute the same, so nothing is verified or written"
            raise Disagreement(reason, [*proof.notes, *lines(proof, failures=True)])
        return shapes, proof
    raise PortError(f"give the shape of an input with --input, such as 1x3x224x224; {problem}")


def _folded(lives: tuple[Any, Any], kinds: Sequence[str], shapes: list[Shape], how: How) -> str | None:
    """What to do instead if one of two networks that compute the same has norms that the other has folded."""
    try:
        proof = compared(lives, kinds, shapes, replace(how, folds=True, training=False))
    except PortError:
        return None
    if proof.fold is None or not proof.agrees:
        return None
    which = "first" if proof.fold.nature is lives[0].nature else "second"
    fold = f"{proof.fold.removal}, and port the result"
    remedy = fold if which == "first" else "port to a network without them, because weights do not tell what they were"
    return f"the {which} has norms that the other has folded into its weights: {remedy}"


def _stored(live: Live, path: Path) -> tuple[Arrays, list[str]]:
    """The canonical arrays in a file of a network's, and notes on what was left out."""
    nature = live.nature
    state, notes = read_state(nature.framework, path, most(map(math.prod, nature.shapes.values())))
    try:
        for name in state.keys() & nature.constants.keys():
            if not np.array_equal(state[name], nature.constants[name].astype(state[name].dtype)):
                raise PortError(f"its `{name}` has other values than the network, which computes with its own")
        if others := [name for name, array in state.items() if name in nature.kept or is_index(name, array)]:
            notes.append(left_out(others))
        arrays = live.arrays({name: array for name, array in state.items() if name not in others})
        usable(arrays)
    except PortError as error:
        raise PortError(f"cannot take {path}: {error}", error.details) from None
    return arrays, notes


def _carried(
    lives: tuple[Any, Any], kinds: Sequence[str], arrays: Arrays, shapes: list[Shape], how: How, proof: Comparison
) -> Carried:
    """The arrays of the first network as the second's, after both were run with these, too.

    Raises:
        Disagreement: if the networks do not compute the same with them.
    """
    first, second = lives
    matching, size = proof.matching, " and ".join("x".join(map(str, one)) for one in shapes)
    modes = "evaluation and training" if how.training else "evaluation; training was not run (--training)"
    notes = [
        *proof.notes,
        *forms(matching, first.nature.shapes, second.nature.shapes),
        f"verified: both networks compute the same in float64 with arrays drawn at random (input {size}), in {modes}",
    ]
    own = {name: array.astype(np.float64) for name, array in arrays.items()}
    try:
        actual = judged(lives, kinds, shapes, replace(how, arrays=own, matching=matching, training=False))
        notes.append("verified: both compute the same with the weights that are ported, in evaluation")
    except PortError as error:
        actual = proof
        notes.append(f"not verified with the weights that are ported: {error}")
    if not actual.agrees:
        raise Disagreement("with these weights the networks do not compute the same", lines(actual, failures=True))
    if unused := _unused(first, shapes, matching):
        notes.append(f"not verified, because the output does not depend on it: {', '.join(unused)}")
    moved = matching.moved(arrays, second.nature.shapes)
    state = second.native(moved)
    if kept := second.nature.kept:
        notes.append(f"as in a new network, because it is no weight: {some(kept)}")
    return Carried(state, moved, tuple(notes), {other: one for one, other in matching.alignment.names.items()})


def _unused(first: Live, shapes: list[Shape], matching: Matching) -> list[str]:
    """The layers that were not seen to run and that the outputs do not depend on."""
    arrays, others = (randomised(first.nature.shapes, seed) for seed in (0, 1))
    xs = [values_of(shape) for shape in shapes]
    passed = first.observe(arrays, xs)

    def matters(names: set[str]) -> bool:
        changed = first.observe({name: (others if name in names else arrays)[name] for name in arrays}, xs)
        return any(not np.array_equal(y, passed.outputs[name]) for name, y in changed.outputs.items())

    unseen = [part for part in matching.left if part.leaf.name not in passed.layers]
    return [f"`{part.leaf.name}`" for part in unseen if not matters({n for g in part.arrays.values() for n in g})]
