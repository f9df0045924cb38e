"""What layers are set to, in the words of this project's specs, and where two modules' layers are set to other values.

A framework's ``settings`` module reads them from its layers: ``stride``, ``padding`` (pairs, or "same" or "valid"),
``dilation``, ``groups``, ``eps``, ``momentum`` (the weight of the new value), ``window``, ``ceil_mode``,
``count_include_pad``, ``function`` (of an activation), ``slope``, ``alpha``, ``approximation``, ``mode``,
``align_corners``, ``power iteration`` (of spectral norm). What cannot be read is left out, and is not compared.
``kernel``, ``channels_last`` and ``size`` (the height and width of the input) serve to tell what a padding does.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.port.alignment import NameMap
from common.port.live import Nature, Observed

Settings = dict[str, Any]
_HELP = ("kernel", "channels_last", "size", "padding")
BOUNDS = {"ReLU6": "values above 6"}


@dataclass(frozen=True)
class Difference:
    """One setting of a layer and its partner: ``text`` has both values."""

    layer: str
    other: str
    text: str

    def __str__(self) -> str:
        return f"`{self.layer}` ({self.other}): {self.text}"


def read(settings: Callable[[Any], Settings], layers: Iterable[tuple[str, Any]]) -> dict[str, Settings]:
    """The settings of layers by path; a layer of others that cannot be read has none."""
    found: dict[str, Settings] = {}
    for path, layer in layers:
        with contextlib.suppress(AttributeError, TypeError, ValueError, StopIteration):
            if own := settings(layer):
                found[path] = own
    return found


def pairs(value: Any, rank: int) -> Any:
    """``rank`` equal pairs of a number, pairs of ``rank`` numbers, or pairs as they are; a word in lower case."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, int):
        return ((value, value),) * rank
    each = tuple(value)
    return tuple((n, n) if isinstance(n, int) else tuple(n) for n in (each * rank if len(each) == 1 else each))


def every(value: Any, rank: int) -> tuple[int, ...]:
    """``rank`` numbers of one, or of as many; 1 for None."""
    each = tuple(value) if isinstance(value, Sequence) else (1 if value is None else value,)
    return each * rank if len(each) == 1 else each


def differences(names: NameMap, modules: Sequence[tuple[Nature, Observed]]) -> list[Difference]:
    """Of layers that are partners, and of layers without arrays that run in the same order between them."""
    (one, first), (other, second) = modules
    sizes = [_sizes(nature, pass_) for nature, pass_ in modules]
    found = [d for a, b in _partners(names, first, second, one, other) for d in _between(a, b, one, other, *sizes)]
    return list(dict.fromkeys(found))


def _partners(
    names: NameMap, first: Observed, second: Observed, one: Nature, other: Nature
) -> Iterator[tuple[str, str]]:
    known = {_layer(a, one): _layer(b, other) for a, b in names.items()}
    yield from ((a, b) for a, b in known.items() if a in one.settings and b in other.settings)
    runs = _runs(first.calls, {*known}, one), _runs(second.calls, {*known.values()}, other)
    for anchor, free in runs[0].items():
        theirs = runs[1].get(known.get(anchor, anchor), [])
        if [_family(one.settings[a]) for a in free] == [_family(other.settings[b]) for b in theirs]:
            yield from zip(free, theirs, strict=True)


def _layer(name: str, nature: Nature) -> str:
    """The layer of a name, which may be an array's."""
    return name if name in nature.settings else name.rpartition(".")[0] if name in nature.shapes else name


def _runs(calls: Sequence[str], anchors: set[str], nature: Nature) -> dict[str, list[str]]:
    """The layers with settings that run after the first call of each anchor, up to the next; under "" those before."""
    runs: dict[str, list[str]] = {"": []}
    last = ""
    for name in calls:
        if name in anchors:
            last = name if name not in runs else f"{name} again"  # which is no partner's name
            runs.setdefault(last, [])
        elif _family(nature.settings.get(name, {})):
            runs[last].append(name)
    return runs


def _family(settings: Settings) -> str:
    return next((word for word in ("function", "window", "mode") if word in settings), "")


def _sizes(nature: Nature, pass_: Observed) -> dict[str, tuple[int, ...]]:
    found = {}
    for name, settings in nature.settings.items():
        shape = pass_.entries[name].shape if name in pass_.entries else ()
        inside = shape[1:-1] if settings.get("channels_last") else shape[2:]
        found[name] = settings.get("size") or tuple(inside)
    return found


def _between(
    a: str, b: str, one: Nature, other: Nature, sizes: Mapping[str, Any], others: Mapping[str, Any]
) -> Iterator[Difference]:
    left, right = one.settings[a], other.settings[b]
    if left.get("function") != right.get("function"):
        bound = BOUNDS.get(left.get("function", ""), BOUNDS.get(right.get("function", ""), ""))
        text = f"{left.get('function')} against {right.get('function')}" + (f": {bound}" if bound else "")
        yield Difference(a, b, text)
        return
    for word in (word for word in left if word in right and word not in _HELP):
        if not _same(left[word], right[word]):
            yield Difference(a, b, _text(word, left[word], right[word]))
    size, also = sizes[a] or others[b], others[b] or sizes[a]
    if "padding" in left and "padding" in right and size == also:  # else a layer before may pad, too
        done = [padding_done(settings, size) for settings in (left, right)]
        if None not in done and left["padding"] != right["padding"] and done[0] != done[1]:
            yield Difference(a, b, f"padding {_pads(left, done[0])} against {_pads(right, done[1])}")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return bool(np.isclose(one, other, rtol=1e-6, atol=0))
    return one == other


def _text(word: str, one: Any, other: Any) -> str:
    text = f"{word} {_shown(one)} against {_shown(other)}"
    if word == "momentum" and all(isinstance(m, float) for m in (one, other)) and np.isclose(one, 1 - other):
        return f"{text} = 1 - {_shown(one)} (weight of the new value)"
    return f"{text} (weight of the new value)" if word == "momentum" else text


def _shown(value: Any) -> str:
    if isinstance(value, tuple) and len({*value}) == 1:
        return _shown(value[0])
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pads(settings: Settings, done: Any) -> str:
    padding = settings["padding"]
    if isinstance(padding, str):
        return f'"{padding}", here {_pads({"padding": done}, done)}'
    each = [pair[0] if pair[0] == pair[1] else pair for pair in padding]
    return _shown(tuple(each))


def padding_done(settings: Settings, size: Sequence[int]) -> Any:
    """What is really added to each side of an input of this size: a window that does not fit uses no padding behind.

    None if it depends on a size that is not known.
    """
    padding, kernel = settings["padding"], settings["kernel" if "kernel" in settings else "window"]
    rank = len(kernel)
    strides, dilations = every(settings.get("stride"), rank), every(settings.get("dilation"), rank)
    padding = ((0, 0),) * rank if padding == "valid" else padding
    if len(size) != rank or (isinstance(padding, str) and padding != "same"):
        if padding == "same" and strides == (1,) * rank:
            reaches = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
            return tuple((reach // 2, reach - reach // 2) for reach in reaches)
        return None if isinstance(padding, str) else tuple(map(tuple, padding))
    done = []
    given = [None] * rank if padding == "same" else padding
    for n, k, s, d, pads in zip(size, kernel, strides, dilations, given, strict=True):
        reach = d * (k - 1) + 1
        if pads is None:
            total = max((-(-n // s) - 1) * s + reach - n, 0)
            pads = total // 2, total - total // 2
        count = (n + sum(pads) - reach) // s + 1
        done.append((pads[0], pads[1] if settings.get("ceil_mode") else (count - 1) * s + reach - n - pads[0]))
    return tuple(done)
