"""Two live modules, written by anybody: are they the same function? Layer by layer, in float64.

No spec says what a foreign module should compute, so the first module is the standard for the second, and its own
sensitivity is the measure. Both are run in float64, where rounding is near 1e-16, with the same arrays (drawn at
random: nothing is 0 or 1). The first is then run again with its input and all its arrays known to 40 bits only: each
number times 1 + 2^-40 n, n standard normal. That is about 10,000 roundings of float64 in every number, more than any
order of summation brings, and 10,000 times less than float32. An answer of the second may be `ALLOWED` of the
deviations that this brings away (why so many is said in `common.oracle.rounding`): of each element's own, or if
larger of the root mean square of its array's.

To this comes a relative error of `Live.precision`, `ALLOWED` times: 2^-40 too, or the unit roundoff of float32 for what
a framework's float64 training multiplies by a number that it has rounded to float32.
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
DROPOUT_OFF = "dropout is off, whose masks differ in every framework"


@dataclass(frozen=True)
class Observed:
    """One pass: the output, each layer's output by module path in order of execution, and in training the rest.

    Maps are NCHW. ``held`` are the arrays after the pass, by canonical name under the module's own paths.
    """

    output: np.ndarray
    layers: Arrays
    held: Arrays
    gradients: Arrays = field(default_factory=dict)


class Live(Protocol):
    """A live module: a copy of it in float64, dropout off, run with arrays that it is given."""

    framework: str
    precision: float  # of what training leaves behind: gradients and running statistics
    notes: list[str]  # what was changed in the copy, in sentences

    def shapes(self) -> Shapes:
        """Of all arrays, by canonical name under the module's own paths, in order of definition."""
        ...

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        """A pass in evaluation mode, or with a cotangent one in training mode and back."""
        ...


class LiveModule(Protocol):
    """A framework's ``live`` module."""

    def Live(self, native: Any, shape: Shape, alone: bool) -> Live:  # noqa: N802 - a class
        """Of ``native``, for inputs ``shape`` in NCHW; ``alone`` if the other module is of the same framework."""
        ...


@dataclass(frozen=True)
class Finding:
    """One thing that was compared; ``problem`` is a sentence, or None if it agrees."""

    what: str
    problem: str | None
    error: float | None = None
    allowance: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What came of comparing two modules."""

    alignment: Alignment
    findings: tuple[Finding, ...]
    divergence: str | None  # the first layer, in order of execution, whose output differs
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return all(finding.problem is None for finding in self.findings)


def randomised(shapes: Shapes, seed: int = 0) -> Arrays:
    """Arrays of these shapes, as the checks of our own blocks draw them, in float64."""
    rng = np.random.default_rng(seed)
    kinds = {leaf.name: leaf.kind for leaf in leaves(shapes)}
    found = {}
    for name, shape in shapes.items():
        path, _, local = name.rpartition(".")
        role = local if local.startswith("running_") else f"{kinds[path]}_{local}"
        found[name] = drawn(rng, role, shape).astype(np.float64)
    return found


def in_order(shapes: Shapes, seen: Arrays) -> list[Leaf]:
    """The layers in order of execution if every one was seen to run, else in order of definition."""
    layers = {leaf.name: leaf for leaf in leaves(shapes)}
    ran = [layers[name] for name in seen if name in layers]
    return ran if len(ran) == len(layers) else list(layers.values())


def compare_live(first: Live, second: Live, shape: Shape, names: NameMap | None = None) -> Comparison:
    """Aligns two modules, gives both the same arrays, and compares everything that can be seen of them.

    ``shape`` is the input's, (n, c, h, w). ``names`` maps layers of the first to layers of the second where the order
    and the shapes do not tell.

    Raises:
        PortError: if the layers do not match, or training is random.
    """
    arrays = randomised(first.shapes())
    x = inputs.make("random", shape).astype(np.float64)
    evaluated, probe = first.observe(arrays, x), second.observe(randomised(second.shapes()), x)
    alignment = align(in_order(first.shapes(), evaluated.layers), in_order(second.shapes(), probe.layers), names)
    theirs = _translation(alignment.names, first.shapes())
    copied = {theirs[name]: array for name, array in arrays.items()}
    answer = second.observe(copied, x)
    findings = [_bits(arrays, evaluated.held, answer.held, theirs)]
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
    for live, pass_, given in ((first, trained, arrays), (second, trained_answer, copied)):
        if not np.array_equal(live.observe(given, x, dy).output, pass_.output):
            raise PortError(f"the module in {live.framework} trains at random, dropout layers apart: two passes differ")
    divergence = None
    for mode, right, given, cotangent in (
        ("evaluation", evaluated, answer, None),
        ("training", trained, trained_answer, dy),
    ):
        allowed = _allowances(first, arrays, x, cotangent, right, max(first.precision, second.precision))
        found = list(_findings(mode, right, given, allowed, theirs))
        findings += found
        if divergence is None and any(finding.problem for finding in found):
            divergence = _divergence(right, given, allowed, alignment.names)
    return Comparison(alignment, tuple(findings), divergence, tuple(notes))


def _translation(names: NameMap, shapes: Shapes) -> NameMap:
    """Array names of the second by those of the first."""
    found = {}
    for name in shapes:
        path, _, local = name.rpartition(".")
        found[name] = f"{names[path]}.{local}" if names[path] else local
    return found


def _bits(arrays: Arrays, held: Arrays, answer: Arrays, theirs: NameMap) -> Finding:
    """Whether both modules hold the very numbers they were given."""
    for name, array in arrays.items():
        for given in (held[name], answer[theirs[name]]):
            if given.dtype != array.dtype or given.tobytes() != array.tobytes():
                return Finding("parameters", f"`{name}` reads back as other numbers")
    return Finding("parameters", None, 0.0, 0.0)


def _quantities(pass_: Observed) -> dict[str, Arrays]:
    """What a pass gives, by kind; a layer's output by its path."""
    statistics = {name: array for name, array in pass_.held.items() if "running" in name.rpartition(".")[2]}
    return {OUTPUT: {OUTPUT: pass_.output}, "layers": pass_.layers, "gradients": pass_.gradients, "held": statistics}


def _allowances(
    live: Live, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None, exact: Observed, precision: float
) -> dict[str, Arrays]:
    """How far each element may be off, from passes with every number known to `PRECISION`."""
    rng = np.random.default_rng(2)
    right = _quantities(exact)
    squares = {kind: {name: np.zeros_like(a) for name, a in named.items()} for kind, named in right.items()}

    def noisy(array: np.ndarray) -> np.ndarray:
        return array * (1 + PRECISION * rng.standard_normal(array.shape))

    for _ in range(SAMPLES):
        found = _quantities(live.observe({name: noisy(a) for name, a in arrays.items()}, noisy(x), dy))
        for kind, named in right.items():
            for name, array in named.items():
                squares[kind][name] += (found[kind][name] - array) ** 2 / SAMPLES
    # A gradient that is zero but for rounding (of a bias before a norm) is held to the size of its layer's others.
    sizes: dict[str, float] = {}
    for name, array in exact.gradients.items():
        sizes[_layer(name)] = max(sizes.get(_layer(name), 0.0), float((array**2).mean()))

    def allowed(kind: str, name: str, square: np.ndarray) -> np.ndarray:
        array = right[kind][name]
        scale = max(float((array**2).mean()), sizes[_layer(name)] if kind == "gradients" else 0.0)
        relative = precision if kind in ("gradients", "held") else PRECISION
        size = np.sqrt(np.maximum(array**2, scale))
        return ALLOWED * (np.sqrt(np.maximum(square, square.mean())) + relative * size)

    return {kind: {name: allowed(kind, name, s) for name, s in named.items()} for kind, named in squares.items()}


def _layer(name: str) -> str:
    """The layer that an array belongs to; the input is one for itself."""
    return name.rpartition(".")[0] if name != INPUT else INPUT


def _findings(
    mode: str, right: Observed, given: Observed, allowed: Mapping[str, Arrays], theirs: NameMap
) -> Iterator[Finding]:
    if mode == "evaluation":
        yield _constant(right, allowed)
        yield _worst("output in evaluation", {OUTPUT: right.output}, {OUTPUT: given.output}, allowed[OUTPUT], {})
        return
    yield _worst("output in training", {OUTPUT: right.output}, {OUTPUT: given.output}, allowed[OUTPUT], {})
    names = {name: theirs.get(name, name) for name in right.gradients}
    odd = set(names.values()) ^ given.gradients.keys()
    if odd:
        yield Finding("gradients", f"trained in one only: {', '.join(sorted(odd))}")
    else:
        yield _worst(
            "gradient of the input", {INPUT: right.gradients[INPUT]}, given.gradients, allowed["gradients"], {}
        )
        mine = {name: array for name, array in right.gradients.items() if name != INPUT}
        yield _worst("gradients of the parameters", mine, given.gradients, allowed["gradients"], names)
    statistics = {name: right.held[name] for name in allowed["held"]}
    if statistics:
        yield _worst("running statistics after a pass", statistics, given.held, allowed["held"], theirs)


def _constant(right: Observed, allowed: Mapping[str, Arrays]) -> Finding:
    constant = float(right.output.std()) < 1000 * float(np.median(allowed[OUTPUT][OUTPUT]))
    return Finding("case", "the output is all but constant, so no port could fail" if constant else None)


def _worst(what: str, right: Arrays, given: Arrays, allowed: Arrays, theirs: NameMap) -> Finding:
    """The worst of some arrays."""
    worst, least = Finding(what, None), np.inf
    for name, array in right.items():
        problem, error, allowance = compare(given[theirs.get(name, name)], array, allowed[name])
        of = "" if len(right) == 1 else f"of {name}: "
        if error is None or allowance is None:
            return Finding(what, f"{of}{problem}")
        margin = allowance / error if error else np.inf
        if margin <= least:
            worst, least = Finding(what, problem and f"{of}{problem}", error, allowance), margin
    return worst


def _divergence(right: Observed, given: Observed, allowed: Mapping[str, Arrays], names: NameMap) -> str | None:
    """The first layer in order of execution whose output differs; None where the layers cannot be seen."""
    for name, output in right.layers.items():
        other = names.get(name, name)
        if other not in given.layers:
            continue
        if given.layers[other].shape != output.shape:
            problem = f"its output has shapes {output.shape} and {given.layers[other].shape}"
        elif not allowed:
            continue
        else:
            problem, _, _ = compare(given.layers[other], output, allowed["layers"][name])
        if problem:
            return f"`{name}` ({other}): {problem}"
    return None
