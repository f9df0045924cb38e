"""Arrays of one function that have another form in another framework, and how a live module takes them.

A convolution of 1 x 1 is a linear layer; ``(C, 1, 1)`` and ``(1, 1, 1, C)`` are ``(C,)``; the kernel of a transposed
convolution is [I, O, h, w], [O, I, h, w] or turned by 180 degrees; a linear layer after a flatten counts its inputs in
the order of the framework's layout. Shapes alone cannot always tell, so the forms are tried on the layers' outputs.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from common.layers.values import Shape
from common.port.alignment import Leaf, NameMap, align, leaves
from common.port.live import Live, Observed, in_order, randomised
from common.port.weights import PortError
from common.spec import inputs
from common.spec.params import Arrays, Shapes

CLOSE = 1e-6  # of a layer's largest output: tells forms apart in float64; `compare_live` judges the result
Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Form:
    """One array in two forms: ``index`` has, for each element of the second, its place in the first."""

    text: str
    first: Shape
    index: np.ndarray  # of the second's shape

    def given(self, array: np.ndarray) -> np.ndarray:
        """The second form of an array in the first."""
        return array.reshape(-1)[self.index]

    def taken(self, array: np.ndarray) -> np.ndarray:
        """The first form of an array in the second."""
        flat = np.empty(array.size, array.dtype)
        flat[self.index.reshape(-1)] = array.reshape(-1)
        return flat.reshape(self.first)


@dataclass
class Reformed:
    """A live module (`Live`) that takes some arrays in another form, and gives them back in it."""

    live: Live
    forms: Mapping[str, Form]

    @property
    def framework(self) -> str:
        return self.live.framework

    @property
    def precision(self) -> float:
        return self.live.precision

    @property
    def notes(self) -> list[str]:
        return self.live.notes

    def shapes(self) -> Shapes:
        return {
            name: self.forms[name].first if name in self.forms else shape for name, shape in self.live.shapes().items()
        }

    def arrays(self) -> Arrays:
        own = self.live.arrays()
        return {n: self.forms[n].taken(array) if n in self.forms else array for n, array in own.items()}

    def native(self, arrays: Arrays) -> Arrays:
        return self.live.native(self.given(arrays))

    def given(self, arrays: Arrays) -> Arrays:
        """The module's own arrays."""
        return {n: self.forms[n].given(array) if n in self.forms else array for n, array in arrays.items()}

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        seen = self.live.observe(self.given(arrays), x, dy)

        def taken(own: Arrays) -> Arrays:
            return {n: self.forms[n].taken(array) if n in self.forms else array for n, array in own.items()}

        return Observed(seen.output, seen.layers, taken(seen.arrays), taken(seen.gradients))


def reformed(first: Live, second: Live, shape: Shape, names: NameMap | None = None) -> tuple[NameMap, Reformed, str]:
    """Aligns two modules, and gives the second's arrays the forms of the first's: the names, it, and how they matched.

    Raises:
        PortError: if the layers do not match, in any form.
    """
    x = inputs.make("random", shape).astype(np.float64)
    arrays = randomised(first.shapes())
    seen, probe = first.observe(arrays, x), second.observe(randomised(second.shapes()), x)
    one, other = (in_order(live.shapes(), passed.layers) for live, passed in ((first, seen), (second, probe)))
    try:
        alignment = align(one, other, names)
    except PortError as error:
        try:
            alignment = align(loose(one), loose(other), names)
        except PortError:
            raise error from None
    choices = dict(_choices(first.shapes(), second.shapes(), alignment.names, probe.layers))
    forms = {name: options[0] for name, options in choices.items()}
    given = {_translated(alignment.names, name): array for name, array in arrays.items()}

    def differs(name: str, right: np.ndarray) -> bool:
        output = passed.layers.get(alignment.names[name], right)
        return output.shape != right.shape or bool(np.abs(output - right).max() > CLOSE * np.abs(right).max())

    passed = Reformed(second, forms).observe(given, x)
    for name, right in seen.layers.items():
        array = _translated(alignment.names, f"{name}.weight")
        options = iter(choices.get(array, [])[1:])
        while differs(name, right) and (form := next(options, None)):
            forms[array] = form
            passed = Reformed(second, forms).observe(given, x)
        if differs(name, right):  # for another reason, which `compare_live` names
            if array in choices:
                forms[array] = choices[array][0]
            break
    return alignment.names, Reformed(second, {n: form for n, form in forms.items() if form.text}), alignment.how


def _translated(names: NameMap, name: str) -> str:
    path, _, local = name.rpartition(".")
    return f"{names[path]}.{local}".lstrip(".")


def in_shape(shapes: Shapes, arrays: Arrays) -> tuple[Arrays, list[str]]:
    """The arrays in ``shapes`` where only axes of one element differ, and a sentence about each form."""
    forms = {
        name: Form(f"{array.shape} as {shapes[name]}", array.shape, np.arange(array.size).reshape(shapes[name]))
        for name, array in arrays.items()
        if name in shapes and array.shape != shapes[name] and _long(array.shape) == _long(shapes[name])
    }
    return {n: forms[n].given(array) if n in forms else array for n, array in arrays.items()}, described(forms)


def _long(shape: Shape) -> Shape:
    return tuple(size for size in shape if size > 1)


def loose(layers: list[Leaf]) -> list[Leaf]:
    """The layers with their shapes in a form that other forms share."""

    def shape(own: Shape) -> Shape:
        while len(own) > 1 and own[-1] == 1:
            own = own[:-1]
        return (*sorted(own[:2]), *own[2:]) if len(own) == 4 else own

    shapes = {f"{leaf.name}.{local}": shape(own) for leaf in layers for local, own in leaf.shapes}
    return leaves(shapes)


def _choices(first: Shapes, second: Shapes, names: NameMap, outputs: Arrays) -> Iterator[tuple[str, list[Form]]]:
    """The forms that an array of the second may have, the likeliest first."""
    channels = [y.shape[1] for y in outputs.values() if y.ndim == 4]
    for name, shape in first.items():
        other = _translated(names, name)
        options = [
            Form(text, shape, index)
            for text, change in _changes(shape, second[other], channels)
            if (index := change(np.arange(int(np.prod(shape))).reshape(shape))).shape == second[other]
        ]
        if not options:
            raise PortError(f"`{name}` {shape} has no form with the shape of `{other}` {second[other]}")
        yield other, options


def _changes(one: Shape, other: Shape, channels: list[int]) -> Iterator[tuple[str, Change]]:
    yield "", lambda a: a
    if one != other and _long(one) == _long(other):
        yield f"{one} as {other}", lambda a: a.reshape(other)
    if len(one) == len(other) == 4:
        yield "a transposed convolution's: turned by 180 degrees, in and out exchanged", _turned_and_exchanged
        yield "a transposed convolution's: in and out exchanged", lambda a: a.swapaxes(0, 1)
        yield "a transposed convolution's: turned by 180 degrees", lambda a: a[:, :, ::-1, ::-1]
    if len(one) == 2 and one == other:
        for c in sorted({c for c in channels if 1 < c < one[1] and one[1] % c == 0}, reverse=True):
            yield f"inputs after a flatten of {c} channels, which come last", _flattened(c, -1)
            yield f"inputs after a flatten of {c} channels, which come first", _flattened(-1, c)


def _turned_and_exchanged(array: np.ndarray) -> np.ndarray:
    return array[:, :, ::-1, ::-1].swapaxes(0, 1)


def _flattened(rows: int, columns: int) -> Change:
    return lambda a: a.reshape(len(a), rows, columns).swapaxes(1, 2).reshape(a.shape)


def described(forms: Mapping[str, Form]) -> list[str]:
    """A sentence for each form, with its arrays."""
    texts = sorted(forms, key=lambda name: forms[name].text)
    groups = itertools.groupby(texts, key=lambda name: forms[name].text)
    return [f"in another form ({text}): {', '.join(f'`{name}`' for name in names)}" for text, names in groups]
