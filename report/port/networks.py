"""The weights of one live network in another of any framework: matched, verified by running both, written."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import frameworks
from common.layers.values import Shape
from common.port.alignment import NameMap, leaves
from common.port.forms import described, reformed
from common.port.live import Live, compare_live, randomised
from common.port.weights import Disagreement, PortError, fit_shapes
from common.spec import inputs
from common.spec.params import Arrays
from report.port.modules import Remote, isolated, lines
from report.port.weights import known_suffix, listed, no_weights, read, replacing, same

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
    shape: Shape | None = None,
    names: NameMap | None = None,
    training: bool = False,
) -> Carried:
    """Writes the weights of network ``first`` in ``source`` as those of network ``second``: `report.port.targets`.

    ``shape`` is the input's, (n, c, h, w); without it some are tried. ``names`` maps layers of the second to layers of
    the first. ``training`` is verified too.

    Raises:
        PortError: for a file or network that cannot be read, run, or matched; nothing is written then.
        Disagreement: if the two networks do not compute the same; nothing is written then.
    """
    _reachable(source, destination)
    remotes = Remote(first), Remote(second)
    try:
        for remote in remotes:
            remote.start()
        kinds = [remote.wait() for remote in remotes]
        shape = _opened(remotes, kinds[0] == kinds[1], shape)
        return _ported(*remotes, shape, source, destination, names, training)
    finally:
        for remote in remotes:
            remote.stop()


def port_modules(
    first: Any,
    second: Any,
    shape: Shape,
    *,
    source: Path | None = None,
    destination: Path | None = None,
    names: NameMap | None = None,
    training: bool = False,
) -> Carried:
    """`port_file` for live modules of this process; without ``source`` the weights are those that ``first`` holds."""
    _reachable(source, destination)
    return _ported(*isolated(first, second, shape), shape, source, destination, names, training)


def _reachable(source: Path | None, destination: Path | None) -> None:
    if source and not source.exists():
        raise PortError(f"cannot read {source}: no such file")
    if destination and not destination.parent.is_dir():
        raise PortError(f"cannot write {destination}: there is no folder {destination.parent}")
    if destination and destination.is_dir():
        raise PortError(f"{destination} exists already; a directory is not replaced")


def _ported(
    first: Live,
    second: Live,
    shape: Shape,
    source: Path | None,
    destination: Path | None,
    names: NameMap | None,
    training: bool,
) -> Carried:
    for live, path in ((first, source), (second, destination)):
        if path:
            known_suffix(live.framework, path, frameworks.part(live.framework, "files").SUFFIXES)
    arrays, notes = read(first.framework, source) if source else (first.arrays(), [])
    arrays = fit_shapes("the first network", first.shapes(), arrays)
    carried = carry(first, second, arrays, shape, names, training)
    notes += carried.notes
    if destination:
        with replacing(destination) as part:
            frameworks.part(second.framework, "files").write(part, carried.state)
            written, _ = read(second.framework, part)
            if wrong := [name for name, array in carried.arrays.items() if not same(array, written.get(name))]:
                raise Disagreement(f"`{wrong[0]}` reads back from {second.framework}'s file as something else")
        notes.append(f"verified: every array reads back from {second.framework}'s file bit for bit")
    return replace(carried, notes=tuple(notes))


def carry(
    first: Live, second: Live, arrays: Arrays, shape: Shape, names: NameMap | None = None, training: bool = False
) -> Carried:
    """The arrays of the first network as the second's, after both were run with drawn arrays and with these.

    Raises:
        PortError: if the layers do not match, or a network cannot be run.
        Disagreement: if the networks do not compute the same.
    """
    given = {one: other for other, one in (names or {}).items()}
    matched, taking, how = reformed(first, second, shape, given)
    proof = compare_live(first, taking, shape, matched, training=training)
    if not proof.agrees:
        raise Disagreement("the networks do not compute the same, so nothing is verified or written", _failed(proof))
    size = "x".join(map(str, shape))
    modes = "evaluation and training" if training else "evaluation; training was not run (--training)"
    notes = [
        f"matched {len(matched)} layers {how}",
        *described(taking.forms),
        f"verified: both networks compute the same in float64 with arrays drawn at random (input {size}), in {modes}",
        *(f"{live.framework}: {note}" for live in (first, second) for note in live.notes if training),
    ]
    own = {name: array.astype(np.float64) for name, array in arrays.items()}
    try:
        actual = compare_live(first, taking, shape, matched, own, training=False)
        problems = [finding for finding in actual.findings if finding.problem]
        if any(finding.what != "case" for finding in problems):
            raise Disagreement("with these weights the networks do not compute the same", _failed(actual))
        unverified = problems[0].problem if problems else None
    except Disagreement:
        raise
    except PortError as error:
        unverified = str(error)
    notes.append(
        f"not verified with the weights that are ported: {unverified}"
        if unverified
        else "verified: both compute the same with the weights that are ported, in evaluation"
    )
    if unused := _unused(first, shape):
        notes.append(f"not verified, because the output does not depend on it: {', '.join(unused)}")
    copied = _named(arrays, matched)
    state, by_second = taking.native(copied), {other: one for one, other in matched.items()}
    if kept := no_weights(second.framework, state):
        notes.append(f"as in a new network, because it is no weight: {listed(kept)}")
    return Carried(state, taking.given(copied), tuple(notes), by_second)


def _named(arrays: Arrays, matched: NameMap) -> Arrays:
    copied = {}
    for name, array in arrays.items():
        path, _, local = name.rpartition(".")
        copied[f"{matched[path]}.{local}".lstrip(".")] = array
    return copied


def _failed(comparison: Any) -> list[str]:
    return [*comparison.notes, *lines(comparison, failures=True)]


def _opened(remotes: tuple[Remote, Remote], alone: bool, shape: Shape | None) -> Shape:
    """Opens both networks for the first input that both take."""
    if shape:
        for remote in remotes:
            remote.open(shape, alone)
        return shape
    problem = ""
    for channels, size in itertools.product((3, 1), SIZES):
        tried = (2, channels, *size)
        try:
            for remote in remotes:
                remote.open(tried, alone)
                _run(remote, tried)
            return tried
        except PortError as error:
            problem = problem or str(error)
    raise PortError(f"give the shape of an input with --input, such as 1x3x224x224; {problem}")


def _run(live: Live, shape: Shape) -> None:
    live.observe(randomised(live.shapes()), inputs.make("random", shape).astype(np.float64))


def _unused(first: Live, shape: Shape) -> list[str]:
    """The layers that were not seen to run and that the output does not depend on."""
    arrays, x = randomised(first.shapes()), inputs.make("random", shape).astype(np.float64)
    passed, others = first.observe(arrays, x), randomised(first.shapes(), 1)
    unseen = [leaf.name for leaf in leaves(first.shapes()) if leaf.name not in passed.layers]

    def matters(layer: str) -> bool:
        changed = {name: (others if name.rpartition(".")[0] == layer else arrays)[name] for name in arrays}
        return not np.array_equal(first.observe(changed, x).output, passed.output)

    return [f"`{layer}`" for layer in unseen if not matters(layer)]
