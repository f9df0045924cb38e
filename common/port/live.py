"""Two live modules, written by anybody: are they the same function? Layer by layer, in float64.

No spec says what a foreign module should compute, so the first module is the standard for the second, and its
sensitivity sets the allowance. Both are run in float64, where rounding is near 1e-16, with the same arrays (drawn at
random: nothing is 0 or 1). The first is then run again with its input and all its arrays known to 40 bits only: each
number times 1 + 2^-40 n, n standard normal. That is about 10,000 roundings of float64 in every number: more than any
order of summation causes, and 10,000 times less than a rounding of float32. The passes give a deviation for each
element, which is at least the root mean square of its array. An element of the second may be `ALLOWED` deviations away
(`common.oracle.rounding` says why so many).

`ALLOWED` times a relative error of `Live.precision` is added: 2^-40 too, or the unit roundoff of float32 if a
framework's float64 training multiplies by a number that it has rounded to float32.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from common.check.comparison import compare
from common.layers.values import Shape
from common.oracle.rounding import ALLOWED
from common.port.alignment import Alignment, Leaf, NameMap, align, leaves
from common.port.weights import PortError
from common.spec import INPUT, inputs
from common.spec.params import Arrays, Shapes, drawn

PRECISION = 2.0**-40
SAMPLES = 4  # each array gives as many deviations as it has elements, four times over
OUTPUT = "output"
DROPOUT_OFF = "dropout is off: its masks differ in every framework"


@dataclass(frozen=True)
class Observed:
    """One pass: the output, each layer's output by module path in order of execution, and in training the rest.

    Maps are NCHW. ``arrays`` are those after the pass, by canonical name under the module's paths.
    """

    output: np.ndarray
    layers: Arrays
    arrays: Arrays
    gradients: Arrays = field(default_factory=dict)


class Live(Protocol):
    """A live module: its copy in float64, dropout off, which runs with the arrays of the caller."""

    framework: str
    precision: float  # relative, of the results of training: gradients and running statistics
    notes: list[str]  # what was changed in the copy, in sentences

    def shapes(self) -> Shapes:
        """The shapes of all arrays, by canonical name under the module's paths, in order of definition."""
        ...

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        """A pass in evaluation mode; with the output's cotangent ``dy``, in training mode and back."""
        ...


class LiveModule(Protocol):
    """A framework's ``live`` module."""

    def Live(self, native: Any, shape: Shape, alone: bool) -> Live:  # noqa: N802 - a class
        """Of ``native``, for inputs ``shape`` in NCHW; ``alone`` if the other module is of the same framework."""
        ...


@dataclass(frozen=True)
class Finding:
    """One comparison, named by ``what``; ``problem`` is a sentence, or None if it agrees."""

    what: str
    problem: str | None
    error: float | None = None
    allowance: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The result of comparing two modules."""

    alignment: Alignment
    findings: tuple[Finding, ...]
    divergence: str | None  # the first layer, in order of execution, whose output differs
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return all(finding.problem is None for finding in self.findings)


def randomised(shapes: Shapes, seed: int = 0) -> Arrays:
    """Arrays of these shapes, as the checks of this project's blocks draw them, in float64."""
    rng = np.random.default_rng(seed)
    kinds = {leaf.name: leaf.kind for leaf in leaves(shapes)}
    arrays = {}
    for name, shape in shapes.items():
        path, _, local = name.rpartition(".")
        role = local if local.startswith("running_") else f"{kinds[path]}_{local}"
        arrays[name] = drawn(rng, role, shape).astype(np.float64)
    return arrays


def in_order(shapes: Shapes, seen: Arrays) -> list[Leaf]:
    """The layers in order of execution if every one was seen to run, else in order of definition."""
    layers = {leaf.name: leaf for leaf in leaves(shapes)}
    ran = [layers[name] for name in seen if name in layers]
    return ran if len(ran) == len(layers) else list(layers.values())


def compare_live(first: Live, second: Live, shape: Shape, names: NameMap | None = None) -> Comparison:
    """Aligns two modules, gives both the same arrays, and compares everything that can be seen of them.

    ``shape`` is the input's, (n, c, h, w). ``names`` maps layers of the first to layers of the second where order and
    shapes do not decide.

    Raises:
        PortError: if the layers do not match, or training is random.
    """
    arrays = randomised(first.shapes())
    x = inputs.make("random", shape).astype(np.float64)
    evaluated, probe = first.observe(arrays, x), second.observe(randomised(second.shapes()), x)
    alignment = align(in_order(first.shapes(), evaluated.layers), in_order(second.shapes(), probe.layers), names)
    translation = _translation(alignment.names, first.shapes())
    copied = {translation[name]: array for name, array in arrays.items()}
    answer = second.observe(copied, x)
    findings = [_bits(arrays, evaluated.arrays, answer.arrays, translation)]
    values = sum(array.size for array in arrays.values())
    notes = [f"matched {len(alignment.names)} layers {alignment.how}; {values:,} values copied", *alignment.doubts]
    notes += [f"{live.framework}: {note}" for live in (first, second) for note in live.notes]
    if evaluated.output.shape != answer.output.shape:
        shapes = f"{evaluated.output.shape} and {answer.output.shape}"
        findings.append(Finding("output in evaluation", f"the outputs have shapes {shapes}"))
        divergence = _divergence(evaluated, answer, {}, alignment.names)
        return Comparison(alignment, tuple(findings), divergence, tuple(notes))
    dy = np.random.default_rng(1).standard_normal(evaluated.output.shape)
    trained, trained_answer = first.observe(arrays, x, dy), second.observe(copied, x, dy)
    for live, pass_, params in ((first, trained, arrays), (second, trained_answer, copied)):
        if not np.array_equal(live.observe(params, x, dy).output, pass_.output):
            raise PortError(f"the module in {live.framework} trains at random, even without dropout: two passes differ")
    divergence = None
    for mode, right, actual, cotangent in (
        ("evaluation", evaluated, answer, None),
        ("training", trained, trained_answer, dy),
    ):
        allowed = _allowances(first, arrays, x, cotangent, right, max(first.precision, second.precision))
        results = list(_findings(mode, right, actual, allowed, translation))
        findings += results
        if divergence is None and any(finding.problem for finding in results):
            divergence = _divergence(right, actual, allowed, alignment.names)
    return Comparison(alignment, tuple(findings), divergence, tuple(notes))


def _translation(names: NameMap, shapes: Shapes) -> NameMap:
    """Array names of the second by those of the first."""
    translation = {}
    for name in shapes:
        path, _, local = name.rpartition(".")
        translation[name] = f"{names[path]}.{local}" if names[path] else local
    return translation


def _bits(arrays: Arrays, first: Arrays, second: Arrays, translation: NameMap) -> Finding:
    """Whether both modules return the arrays that were copied into them, bit for bit."""
    for name, array in arrays.items():
        for returned in (first[name], second[translation[name]]):
            if returned.dtype != array.dtype or returned.tobytes() != array.tobytes():
                return Finding("parameters", f"`{name}` reads back as other numbers")
    return Finding("parameters", None, 0.0, 0.0)


def _quantities(pass_: Observed) -> dict[str, Arrays]:
    """The results of a pass by kind; a layer's output by its path."""
    running = {name: array for name, array in pass_.arrays.items() if "running" in name.rpartition(".")[2]}
    return {OUTPUT: {OUTPUT: pass_.output}, "layers": pass_.layers, "gradients": pass_.gradients, "statistics": running}


def _allowances(
    live: Live, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None, exact: Observed, precision: float
) -> dict[str, Arrays]:
    """How far each element may be off, from passes in which every number has a relative error of `PRECISION`."""
    rng = np.random.default_rng(2)
    right = _quantities(exact)
    squares = {kind: {name: np.zeros_like(a) for name, a in named.items()} for kind, named in right.items()}

    def noisy(array: np.ndarray) -> np.ndarray:
        return array * (1 + PRECISION * rng.standard_normal(array.shape))

    for _ in range(SAMPLES):
        noisy_pass = _quantities(live.observe({name: noisy(a) for name, a in arrays.items()}, noisy(x), dy))
        for kind, named in right.items():
            for name, array in named.items():
                with np.errstate(invalid="ignore", over="ignore"):  # what is not finite has no allowance
                    squares[kind][name] += (noisy_pass[kind][name] - array) ** 2 / SAMPLES
    # A gradient that is only rounding (of a bias before a norm) is compared at the size of its layer's others.
    sizes: dict[str, float] = {}
    for name, array in exact.gradients.items():
        sizes[_layer(name)] = max(sizes.get(_layer(name), 0.0), float((array**2).mean()))

    def allowed(kind: str, name: str, square: np.ndarray) -> np.ndarray:
        array = right[kind][name]
        scale = max(float((array**2).mean()), sizes[_layer(name)] if kind == "gradients" else 0.0)
        relative = precision if kind in ("gradients", "statistics") else PRECISION
        size = np.sqrt(np.maximum(array**2, scale))
        return ALLOWED * (np.sqrt(np.maximum(square, square.mean())) + relative * size)

    return {kind: {name: allowed(kind, name, s) for name, s in named.items()} for kind, named in squares.items()}


def _layer(name: str) -> str:
    """The layer that an array belongs to; the input counts as a layer."""
    return name.rpartition(".")[0] if name != INPUT else INPUT


def _findings(
    mode: str, right: Observed, actual: Observed, allowed: Mapping[str, Arrays], translation: NameMap
) -> Iterator[Finding]:
    if mode == "evaluation":
        _constant(right, allowed)
        yield _worst("output in evaluation", {OUTPUT: right.output}, {OUTPUT: actual.output}, allowed[OUTPUT], {})
        return
    yield _worst("output in training", {OUTPUT: right.output}, {OUTPUT: actual.output}, allowed[OUTPUT], {})
    names = {name: translation.get(name, name) for name in right.gradients}
    odd = set(names.values()) ^ actual.gradients.keys()
    if odd:
        yield Finding("gradients", f"trained in one only: {', '.join(sorted(odd))}")
    else:
        yield _worst(
            "gradient of the input", {INPUT: right.gradients[INPUT]}, actual.gradients, allowed["gradients"], {}
        )
        params = {name: array for name, array in right.gradients.items() if name != INPUT}
        yield _worst("gradients of the parameters", params, actual.gradients, allowed["gradients"], names)
    statistics = {name: right.arrays[name] for name in allowed["statistics"]}
    if statistics:
        yield _worst("running statistics after a pass", statistics, actual.arrays, allowed["statistics"], translation)


def _constant(right: Observed, allowed: Mapping[str, Arrays]) -> None:
    """Raises `PortError` for a finite output that is nearly constant."""
    if np.isfinite(right.output).all() and float(right.output.std()) <= 1000 * float(
        np.median(allowed[OUTPUT][OUTPUT])
    ):
        raise PortError("the output is nearly constant, so no port could fail")


def _worst(what: str, right: Arrays, actual: Arrays, allowed: Arrays, translation: NameMap) -> Finding:
    """The finding on the array with the least margin."""
    worst, least = Finding(what, None), np.inf
    for name, array in right.items():
        problem, error, allowance = compare(actual[translation.get(name, name)], array, allowed[name])
        prefix = "" if len(right) == 1 else f"of {name}: "
        if error is None or allowance is None:
            return Finding(what, f"{prefix}{problem}")
        if problem and not np.isfinite(error + allowance):
            return Finding(what, f"{prefix}{problem}", error, allowance)
        margin = allowance / error if error else np.inf
        if margin <= least:
            worst, least = Finding(what, problem and f"{prefix}{problem}", error, allowance), margin
    return worst


def _divergence(right: Observed, actual: Observed, allowed: Mapping[str, Arrays], names: NameMap) -> str | None:
    """The first layer in order of execution whose output differs; None where the layers cannot be seen."""
    for name, output in right.layers.items():
        other = names.get(name, name)
        if other not in actual.layers:
            continue
        if actual.layers[other].shape != output.shape:
            problem = f"its output has shapes {output.shape} and {actual.layers[other].shape}"
        elif not allowed:
            continue
        else:
            problem, _, _ = compare(actual.layers[other], output, allowed["layers"][name])
        if problem:
            return f"`{name}` ({other}): {problem}"
    return None
