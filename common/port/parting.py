"""Where two modules part: the first layer whose output differs and stays so."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.check.comparison import Compared, compare
from common.port.alignment import NameMap
from common.port.live import TURNED, Observed
from common.spec.params import Arrays


@dataclass(frozen=True)
class Finding:
    """One comparison, named by ``what``; ``problem`` is a sentence, or None if it agrees."""

    what: str
    problem: str | None
    error: float | None = None
    allowance: float | None = None


@dataclass(frozen=True)
class Layer:
    """A layer of the first, its partner in the second, and how far its output is off; ``problem`` is None if it agrees.

    ``error`` and ``allowance`` are those of the worst element, None if the shapes differ.
    """

    first: str
    second: str
    problem: str | None
    error: float | None
    allowance: float | None


def worst(what: str, right: Arrays, actual: Arrays, allowed: Arrays) -> Finding:
    """The finding on the array with the least margin."""
    worst, least = Finding(what, None), np.inf
    for name, array in right.items():
        problem, error, allowance = compare(actual[name], array, allowed[name])
        prefix = "" if len(right) == 1 else f"of {name}: "
        if error is None or allowance is None or (problem and not np.isfinite(error + allowance)):
            return Finding(what, f"{prefix}{problem}", error, allowance)
        margin = allowance / error if error else np.inf
        if margin <= least:
            worst, least = Finding(what, problem and f"{prefix}{problem}", error, allowance), margin
    return worst


def bits(modules: Sequence[tuple[Arrays, Arrays]]) -> Finding:
    """Whether both modules return the arrays that were copied into them, bit for bit."""
    for before, after in modules:
        for name, array in before.items():
            if after[name].dtype != array.dtype or after[name].tobytes() != array.tobytes():
                return Finding("parameters", f"`{name}` reads back as other numbers")
    return Finding("parameters", None, 0.0, 0.0)


def constants(first: Arrays, second: Arrays) -> Iterator[Finding]:
    """Compares buffers that are kept as they are, if both modules have some of the same name."""
    names: dict[str, list[str]] = {}
    for name in second:
        names.setdefault(name.rpartition(".")[2], []).append(name)
    for name, value in first.items():
        others = names.get(name.rpartition(".")[2], [])
        other = second[others.pop(0)] if others else value
        same = value.size == other.size and np.allclose(value.ravel(), other.ravel(), rtol=1e-6, atol=1e-9)
        if not same:
            yield Finding("constants", f"buffer `{name}` has other values")


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


_erf = np.vectorize(math.erf, otypes=[np.float64])
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ReLU": lambda x: np.maximum(x, 0),
    "ReLU6": lambda x: np.clip(x, 0, 6),
    "SiLU": lambda x: x * _sigmoid(x),
    "Hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "Hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "GELU": lambda x: x * 0.5 * (1 + _erf(x / math.sqrt(2))),
    "GELU by tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "Mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
}


def activations(x: np.ndarray, y: np.ndarray) -> list[str]:
    """The activations that make ``y`` of ``x``."""

    def made(values: np.ndarray) -> bool:
        return np.allclose(values, y, rtol=1e-10, atol=1e-11 * float(np.abs(y).max(initial=0)))

    if x.shape != y.shape:
        return []
    with np.errstate(all="ignore"):
        found = [name for name, function in ACTIVATIONS.items() if made(function(x))]
        ratios = (y / np.where(x == 0, 1, x))[x < 0]
        slope = float(np.median(ratios)) if ratios.size else 1.0
        leaky = not found and made(np.where(x < 0, x * slope, x))
    return [f"LeakyReLU of slope {slope:.3g}"] if leaky else found


def turned(actual: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
    """The array in every layout in which it has the shape of ``right``, axes of size 1 apart."""
    every = (turn(actual) for turn in TURNED.values())
    squeezed = tuple(n for n in right.shape if n != 1)
    return [y.reshape(right.shape) for y in every if tuple(n for n in y.shape if n != 1) == squeezed]


def _compared(actual: np.ndarray, right: np.ndarray, allowed: np.ndarray) -> Compared:
    candidates = turned(actual, right)
    if not candidates:
        return Compared(f"its output has shapes {right.shape} and {actual.shape}", None, None)
    return max((compare(y, right, allowed) for y in candidates), key=lambda found: found.margin)


def _pairs(right: Observed, actual: Observed, names: NameMap) -> Iterator[tuple[str, str]]:
    """The layers that were seen to run in both, in order of execution; further calls of one too."""
    for name in right.layers:
        path, call, number = name.partition(" (call ")
        other = f"{names.get(path, path)}{call}{number}"
        # Where one module shows fewer calls of a layer, which of them it shows is not known.
        again = [f"{path} (call 2)" in right.layers, f"{names.get(path, path)} (call 2)" in actual.layers]
        if other in actual.layers and again[0] == again[1]:
            yield name, other


def layers(right: Observed, actual: Observed, allowed: Mapping[str, Arrays], names: NameMap) -> tuple[Layer, ...]:
    """How far the output of each layer is off."""
    pairs = _pairs(right, actual, names)
    return tuple(
        Layer(name, other, *_compared(actual.layers[other], right.layers[name], allowed["layers"][name]))
        for name, other in pairs
    )


@dataclass(frozen=True)
class Parted:
    """A layer that differs, in a sentence; ``entered`` if its input does already, after ``before``, which agrees.

    ``entered`` is None if inputs are not seen.
    """

    layer: str
    before: str
    entered: bool | None
    text: str


def first(right: Observed, actual: Observed, allowed: Mapping[str, Arrays], names: NameMap) -> Parted | None:
    """The first layer in order of execution whose output differs, and whether its input does; None if none is seen.

    A layer that differs by an activation alone (one module holds both on one side) has not parted. Where all layers
    agree, but running statistics do not, their first layer.
    """
    before = ""
    for name, other in _pairs(right, actual, names):
        output = right.layers[name]
        problem = _compared(actual.layers[other], output, allowed["layers"][name]).problem
        entered = None
        if name in right.entries and other in actual.entries:
            entered = _compared(actual.entries[other], right.entries[name], allowed["entries"][name]).problem
        if not problem:
            before = name
            continue
        if not entered and any(
            activations(y, output) or activations(output, y) for y in turned(actual.layers[other], output)
        ):
            before = name
            continue
        after = f"`{before}`" if before else "the input"
        where = f"its input differs already, by what is computed after {after}; " if entered else ""
        seen = name in right.entries and other in actual.entries
        return Parted(name, before, bool(entered) if seen else None, f"`{name}` ({other}): {where}{problem}")
    outputs = all(
        compare(actual.outputs[n], y, allowed["outputs"][n]).problem is None for n, y in right.outputs.items()
    )
    if not outputs:
        return None
    for kind in ("statistics", "gradients"):
        for name, allowance in allowed[kind].items():
            array = right.arrays[name] if kind == "statistics" else right.gradients[name]
            given = (actual.arrays if kind == "statistics" else actual.gradients).get(name)
            if given is not None and (problem := compare(given, array, allowance).problem):
                layer = name.rpartition(".")[0]
                what = "running statistic" if kind == "statistics" else "gradient"
                text = f"`{layer}` ({names.get(layer, layer)}): {what} `{name.rpartition('.')[2]}`: {problem}"
                return Parted(layer, "", False, text)
    return None


def dropped(right: Observed, actual: Observed) -> str | None:
    """The first dropout whose rate differs, in a sentence; they are paired in order of execution.

    A plain function of JAX does not show its own.
    """
    for one, other in itertools.zip_longest(right.dropped, actual.dropped, fillvalue=("nothing", 0.0)):
        if not np.isclose(one[1], other[1], rtol=1e-6, atol=0):
            return f"`{one[0]}` ({other[0]}): dropout has rates {one[1]:g} and {other[1]:g}"
    return None
