"""Arrays whose numbers stand in another order in the second module, which the layers' outputs tell.

A linear layer after a flatten counts its inputs in the order of the maps' layout. The kernel of a transposed
convolution is [I, O, h, w] or [O, I, h, w], and may be turned by 180 degrees. Shapes cannot tell, so orders are tried.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from common.layers.values import Shape
from common.port.fingerprints import close
from common.port.live import Live, Observed
from common.port.matching import Matching, Order, long
from common.spec.params import Arrays, Shapes

Change = Callable[[np.ndarray], np.ndarray]


def ordered(
    first: Live, second: Live, matching: Matching, arrays: Arrays, xs: Sequence[np.ndarray], right: Observed
) -> tuple[Matching, Observed]:
    """The matching with the orders in which the second's layers compute what the first's do, and the second's pass.

    ``right`` is the first's pass with ``arrays``. A layer that differs in every order differs for another reason, which
    the comparison names; no layer after it is tried.
    """
    shapes = first.nature.shapes, second.nature.shapes
    pairs = {one[0]: other[0] for one, other in matching.pairs if len(one) == len(other) == 1}
    axis = -1 if first.nature.channels_last else 1
    channels = {y.shape[axis] for y in right.layers.values() if y.ndim > 2}

    def tried(orders: Mapping[str, Order]) -> tuple[Matching, Observed]:
        found = replace(matching, orders=orders)
        return found, second.observe(found.moved(arrays, shapes[1]), xs)

    best = tried(matching.orders)
    for layer, y in right.layers.items():
        if " (call " in layer:
            continue
        other, weight = matching.alignment.names.get(layer, layer), f"{layer}.weight".lstrip(".")

        def agrees(found: tuple[Matching, Observed], y: np.ndarray = y, other: str = other) -> bool:
            return other not in found[1].layers or close(y, found[1].layers[other])

        if agrees(best):
            continue
        sizes = (shapes[0][weight], shapes[1][pairs[weight]]) if weight in pairs else None
        again = (tried({**best[0].orders, weight: order}) for order in _choices(*sizes, channels)) if sizes else ()
        if (found := next(filter(agrees, again), None)) is None:
            break
        best = found
    return best


def _choices(one: Shape, other: Shape, channels: set[int]) -> Iterator[Order]:
    shape = long(one) if len(long(one)) == 2 else one
    index = np.arange(int(np.prod(one))).reshape(shape)
    for text, change in _changes(shape, channels):
        if long((changed := change(index)).shape) == long(other):
            yield Order(text, changed.ravel())


def _changes(shape: Shape, channels: set[int]) -> Iterator[tuple[str, Change]]:
    if len(shape) > 2:
        spatial = tuple(range(2, len(shape)))
        kernel = "a transposed convolution's"
        yield f"{kernel}: turned by 180 degrees, in and out exchanged", lambda a: np.flip(a, spatial).swapaxes(0, 1)
        yield f"{kernel}: in and out exchanged", lambda a: a.swapaxes(0, 1)
        yield f"{kernel}: turned by 180 degrees", lambda a: np.flip(a, spatial)
    if len(shape) == 2:
        yield from flattens(shape[1], channels)


def flattens(width: int, channels: set[int]) -> Iterator[tuple[str, Change]]:
    """The orders that a matrix [out, ``width``] may have after a flatten of maps of so many channels."""
    for c in sorted((c for c in channels if 1 < c < width and width % c == 0), reverse=True):
        yield f"inputs after a flatten of {c} channels, which come last", _flattened(c, -1)
        yield f"inputs after a flatten of {c} channels, which come first", _flattened(-1, c)


def _flattened(rows: int, columns: int) -> Change:
    return lambda a: a.reshape(len(a), rows, columns).swapaxes(1, 2).reshape(a.shape)


def in_shape(shapes: Shapes, arrays: Arrays) -> tuple[Arrays, list[str]]:
    """The arrays in ``shapes`` where only axes of one element differ, and a sentence about each form."""
    others = {
        name: array
        for name, array in arrays.items()
        if name in shapes and array.shape != shapes[name] and long(array.shape) == long(shapes[name])
    }
    texts = {name: f"{array.shape} as {shapes[name]}" for name, array in others.items()}
    return arrays | {name: array.reshape(shapes[name]) for name, array in others.items()}, described(texts)


def forms(matching: Matching, first: Shapes, second: Shapes) -> list[str]:
    """Sentences about the second's arrays that have another shape or order than the first's."""
    texts = {}
    for one, other in matching.pairs:
        if order := matching.orders.get(one[0]):
            texts[other[0]] = order.text
        elif len(one) == len(other) == 1 and first[one[0]] != second[other[0]]:
            texts[other[0]] = f"{first[one[0]]} as {second[other[0]]}"
    return described(texts)


def described(forms: Mapping[str, str]) -> list[str]:
    """A sentence for each form, with its arrays."""
    groups = itertools.groupby(sorted(forms, key=lambda name: forms[name]), key=lambda name: forms[name])
    return [f"in another form ({text}): {', '.join(f'`{name}`' for name in names)}" for text, names in groups]
