"""Which layer is which where order does not say: all layers of one shape get the same arrays, and values decide.

With equal arrays a layer makes the same of the same input wherever it stands, so two modules need not be aligned to be
compared: layers that take and return the same values are the same.
"""

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from common.port import pairing
from common.port.alignment import NameMap
from common.port.live import TURNED, Live, Observed
from common.port.matching import Matching, Part, match, randomised
from common.spec.params import Arrays, Shapes


def matched(
    first: Live,
    second: Live,
    arrays: Arrays,
    xs: Sequence[np.ndarray],
    right: Observed,
    names: NameMap | None,
    output: str | None,
    exchanged: bool,
) -> tuple[Matching, Observed]:
    """Which arrays are which, and the second's pass with those of the first: by order, or by values if that is wrong.

    ``right`` is the first's pass with ``arrays``.

    Raises:
        PortError: if the layers or outputs do not match.
    """
    one, other = first.nature, second.nature
    probe = second.observe(randomised(other.shapes), xs)

    def tried(names: NameMap | None) -> tuple[Matching, Observed]:
        found = match((one.shapes, right.layers), (other.shapes, probe.layers), names, exchanged)
        return found, second.observe(found.moved(arrays, other.shapes), xs)

    def near(answer: Observed) -> bool:
        ties = pairing.tied(right.outputs, answer.outputs, (one, other), output)
        return all(close(right.outputs[tie.first], answer.outputs[tie.second]) for tie in ties)

    matching, answer = tried(names)
    if near(answer):
        return matching, answer
    alike = named(first, second, matching, xs) | (names or {})
    again, retried = tried(alike)
    if again.alignment.names == matching.alignment.names:
        return matching, answer
    if not near(retried) and len(alike) < len(again.alignment.names):
        return matching, answer
    how = "by the values that they take and return"
    return replace(again, alignment=replace(again.alignment, how=how, doubts=())), retried


def shared(parts: Sequence[Part], shapes: Shapes) -> Arrays:
    """Arrays that are equal wherever layers have the same kind and shapes."""
    arrays: Arrays = {}
    for part in parts:
        for local, size in part.leaf.shapes:
            seed = zlib.crc32(repr((part.leaf.signature, local)).encode())
            values = randomised({local or "value": size}, seed)[local or "value"].ravel()
            for name in part.arrays[local]:
                count = int(np.prod(shapes[name]))
                arrays[name], values = values[:count].reshape(shapes[name]), values[count:]
    return arrays


def named(first: Live, second: Live, matching: Matching, xs: Sequence[np.ndarray]) -> NameMap:
    """The layers of the second by those of the first that take and return the same values."""
    left, right = (
        live.observe(shared(parts, live.nature.shapes), xs)
        for live, parts in ((first, matching.left), (second, matching.right))
    )
    signatures = {part.leaf.name: part.leaf.signature for part in matching.right}
    found: NameMap = {}
    for part in matching.left:
        name = part.leaf.name
        if name in left.layers:
            alike = (
                other
                for other in right.layers
                if signatures.get(other) == part.leaf.signature
                and other not in found.values()
                and _same(left, name, right, other)
            )
            if other := next(alike, None):
                found[name] = other
    return found


def _same(left: Observed, name: str, right: Observed, other: str) -> bool:
    if name in left.entries and other in right.entries and not close(left.entries[name], right.entries[other]):
        return False
    return close(left.layers[name], right.layers[other])


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are nearly equal in some layout, axes of size 1 apart."""
    shape = tuple(n for n in one.shape if n != 1)
    for turn in TURNED.values():
        turned = turn(other)
        if tuple(n for n in turned.shape if n != 1) == shape:
            scale = float(np.abs(one).max(initial=0.0))
            if np.isfinite(scale) and np.allclose(one.ravel(), turned.ravel(), rtol=1e-4, atol=1e-6 * scale):
                return True
    return False
