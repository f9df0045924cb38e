"""What is wrong with an array that a module holds, against the one that it should hold: in words."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from common.port.orders import flattens
from common.spec.params import Arrays

SAME = 2.0**-21  # relative to the greatest number: a few roundings of float32
_HALVES = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
_SPATIAL = "dhw"
_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "is the square root of": np.sqrt,
    "is the square of": np.square,
    "is the reciprocal of": np.reciprocal,
    "is 1 more than": lambda a: a + 1,
    "is 1 less than": lambda a: a - 1,
}


def equal(wanted: np.ndarray, held: np.ndarray, relative: float = SAME) -> bool:
    """Whether all numbers agree, relative to the greatest one."""
    return bool(np.allclose(held, wanted, rtol=relative, atol=relative * float(np.abs(wanted).max(initial=0.0))))


def wrong(wanted: Arrays, held: Arrays) -> dict[str, str]:
    """What is wrong with each array of ``held`` that is not ``wanted``, which have the same names and shapes."""
    bad = [name for name in held if name in wanted and not equal(wanted[name], held[name])]
    channels = {array.shape[0] for array in wanted.values() if array.ndim > 2}
    return {name: _described(name, wanted, held, channels) for name in bad}


def _described(name: str, wanted: Arrays, held: Arrays, channels: set[int]) -> str:
    right, actual = wanted[name], held[name]
    if not np.isfinite(actual).all():
        return "has numbers that are not finite"
    for array, where in ((actual, ""), (right, "in the first, where it ")):
        if array.size > 1 and (array == array.ravel()[0]).all():
            new = ", as in a new layer: not loaded" if array.ravel()[0] in (0, 1) else ""
            return f"{where}is {array.ravel()[0]:g} everywhere{new}"
    for other, array in wanted.items():
        if other != name and array.size == right.size > 1 and equal(array.ravel(), actual.ravel()):
            exchanged = equal(right.ravel(), held[other].ravel()) if other in held else False
            return f"is exchanged with `{other}`" if exchanged else f"holds the numbers of `{other}`"
    if equal(np.sort(right, axis=None), np.sort(actual, axis=None)):
        return next(_rearranged(right, actual, channels), "has the right numbers in another order")
    return next(_computed(right, actual), None) or _unlike(right, actual)


def _rearranged(right: np.ndarray, actual: np.ndarray, channels: set[int]) -> Iterator[str]:
    if right.ndim == 2:
        for text, change in flattens(right.shape[1], channels):
            if equal(change(right), actual):
                yield f"is not in the order of this flatten ({text}): it must be permuted"
    spatial = tuple(range(2, right.ndim))
    for axes in itertools.permutations(range(right.ndim)):
        turned = right.transpose(axes)
        if turned.shape != actual.shape:
            continue
        for count in range(len(spatial) + 1):
            for flipped in itertools.combinations(spatial, count):
                if equal(np.flip(turned, flipped), actual):
                    order = (
                        ""
                        if axes == tuple(range(right.ndim))
                        else f"is transposed: its axes are the axes {axes} of the right one"
                    )
                    flip = f"is flipped along its axes {flipped}" if flipped else ""
                    yield " and ".join(filter(None, (order, flip)))
    for axis in range(right.ndim):
        if found := _moved(right, actual, axis):
            yield found
    names, forms = _native(right.ndim)
    for (source, p), (target, q) in itertools.permutations(zip(names, forms, strict=True), 2):
        shape = tuple(right.shape[axis] for axis in q)
        if equal(right.transpose(p).reshape(shape).transpose(np.argsort(q)), actual):
            yield f"is reshaped where it must be transposed: numbers in the order {source} are read as {target}"


def _native(rank: int) -> tuple[list[str], list[tuple[int, ...]]]:
    """The orders in which frameworks keep a kernel or matrix, in words and as axes of the canonical one."""
    spatial = tuple(range(2, rank))
    ends = ((0, 1), (1, 0)) if rank > 1 else ((0,),)
    forms = [*((*end, *spatial) for end in ends), *((*spatial, *end) for end in ends if spatial)]
    forms += [(0, *spatial, 1)] if spatial else []
    letters = "OI" + _SPATIAL[len(_SPATIAL) - len(spatial) :]
    return ["".join(letters[axis] for axis in form) for form in forms], forms


def _moved(right: np.ndarray, actual: np.ndarray, axis: int) -> str | None:
    """If slices along an axis stand in another order."""
    one, other = (np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1) for a in (right, actual))
    places = {row.tobytes(): index for index, row in enumerate(one)}
    order = [places.get(row.tobytes(), -1) for row in other]
    if sorted(order) != list(range(len(one))):
        return None
    shown = ", ".join(map(str, order[:8])) + (", ..." if len(order) > 8 else "")
    return f"has its numbers along axis {axis} in another order: {shown}"


def _computed(right: np.ndarray, actual: np.ndarray) -> Iterator[str]:
    for kind, relative in _HALVES.items():
        if np.allclose(actual, right, rtol=relative, atol=relative * 1e-3 * float(np.abs(right).max(initial=0.0))):
            yield f"is rounded, as in {kind}: relative errors reach {_relative(right, actual):.0e}"
    different = int((np.abs(actual - right) > SAME * np.abs(right)).sum())
    if 0 < different <= right.size // 2:
        first = tuple(map(int, np.argwhere(np.abs(actual - right) > SAME * np.abs(right))[0]))
        yield f"differs in {different} of {right.size} numbers, first at {first}"
    with np.errstate(all="ignore"):
        for text, function in _FUNCTIONS.items():
            if equal(function(right), actual):
                yield f"{text} what it must be"
        ratios = (actual / right)[right != 0]
    if ratios.size > 1 and np.isfinite(ratios).all() and equal(ratios[:1].repeat(ratios.size), ratios, 1e-5):
        yield f"is {ratios[0]:g} times what it must be"


def _relative(right: np.ndarray, actual: np.ndarray) -> float:
    return float((np.abs(actual - right) / np.maximum(np.abs(right), 1e-30)).max())


def _unlike(right: np.ndarray, actual: np.ndarray) -> str:
    if right.size > 3:
        alike = float(np.corrcoef(right.ravel(), actual.ravel())[0, 1])
        if abs(alike) < 5 / np.sqrt(right.size):
            return "has other numbers, which have nothing in common with the right ones: not loaded"
    return f"has other numbers: they differ by up to {float(np.abs(actual - right).max()):.1e}"
