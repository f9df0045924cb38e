"""The options of a block that a file was written with, if it does not fit the block as it was asked for."""

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterator
from typing import Any

from common.layers.values import Shape, SpecError
from common.port.weights import PortError
from common.spec import BlockSpec
from common.spec.catalogue import CATALOGUE
from common.spec.params import Arrays

SHOWN = 3  # lines on arrays below a suggestion
MOST = 500  # blocks that are tried: a file may have any number of arrays


@contextlib.contextmanager
def suggesting(spec: BlockSpec, arrays: Callable[[], Arrays], where: str = "") -> Iterator[None]:
    """Adds to the first refusal inside the options with which the block, ``where`` that was named, has these arrays.

    Raises:
        PortError: that refusal.
    """
    try:
        yield
    except Suggestion:
        raise
    except PortError as error:
        if options := nearest(spec, [array.shape for array in arrays().values()]):
            raise Suggestion(f"{error}; did you mean {options}{where}?", error.details[:SHOWN]) from None
        raise


class Suggestion(PortError):
    """A refusal that says what to do instead."""


def nearest(spec: BlockSpec, shapes: Collection[Shape]) -> str:
    """``alpha=0.5`` if exactly these arrays are the block's with one or two options changed so; else empty.

    Options take the values that they have in the block's cases; ``classes`` takes the first size of any matrix.
    """
    wanted = sorted(shapes)
    if wanted == _shapes(spec):
        return ""
    changes = list(_changes(spec, shapes))
    tried = itertools.chain(itertools.combinations(changes, 1), itertools.combinations(changes, 2))
    for several in itertools.islice(tried, MOST):
        with contextlib.suppress(SpecError):
            if _shapes(CATALOGUE[spec.family].make(**{**spec.options, **dict(several)})) == wanted:
                return " and ".join(f"{key}={_typed(value)}" for key, value in several)
    return ""


def _shapes(spec: BlockSpec) -> list[Shape]:
    return sorted(param.shape for param in spec.params())


def _changes(spec: BlockSpec, shapes: Collection[Shape]) -> Iterator[tuple[str, Any]]:
    entry = CATALOGUE[spec.family]
    cases = [*entry.cases, *entry.published, *itertools.chain(*entry.timed.values())]
    tried = [(name, value) for case in cases for name, value in case.spec.options.items()]
    tried += [("classes", shape[0]) for shape in shapes if len(shape) == 2 and "classes" in spec.options]
    yield from ((name, value) for name, value in dict.fromkeys(tried) if value != spec.options[name])


def _typed(value: object) -> str:
    """As `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value).strip("()").replace(" ", "")
