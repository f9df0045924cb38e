"""(case, backend) -> CheckResults: the one judgement of whether a framework's block is what its spec says.

Levels, each a line of its own; a failed one does not hide the ones below it: `case` (fails only if the case could not
tell right from wrong), `builds`, `shape`, `parameters`, `forward` (evaluation mode, on each kind of input), those of
`common.check.training`, and `known_differences` (fails if a declared difference no longer occurs). In float32 a backend
is taken as it is, with its declared differences; in float64 it is built ``strict``, to follow the spec with none.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from common.check import divergence, training
from common.check.cache import kept
from common.check.comparison import compare, compare_all
from common.check.training import Training, expect_training
from common.config import NotAvailable
from common.layers.values import storable
from common.names import first_line
from common.oracle import reference, rounding
from common.protocols import Backend, InferenceBackend, as_variant
from common.results.record import NOT_TRAINED, CheckResult, LayerRow, Unavailable
from common.spec import INPUT, BlockSpec, inputs
from common.spec.catalogue import Case
from common.spec.params import Arrays, randomised

LEVELS = ("case", "builds", "shape", "parameters", "forward", *training.LEVELS, "known_differences")


@dataclass(frozen=True)
class Expected:
    """What the reference says of a case on one kind of input, and how far off an answer may be."""

    input: str
    x: np.ndarray
    y: np.ndarray
    allowance: np.ndarray

    @property
    def degenerate(self) -> bool:
        """Whether the output is so nearly constant that a wrong answer could pass."""
        return float(self.y.std()) < 1000 * float(np.median(self.allowance))


def expect(case: Case, kind: str) -> Expected:
    """Runs the reference on a case."""
    params = storable(randomised(case.spec, case.seed), case.dtype)
    x = storable({INPUT: inputs.make(kind, case.input_shape, case.seed)}, case.dtype)[INPUT]
    values = reference.run(case.spec, params, x)
    output = case.spec.nodes[-1].name
    return Expected(kind, x, values[output], rounding.allowances(case.spec, params, values, case.dtype)[output])


@dataclass(frozen=True)
class Expectation:
    """All that the reference says of a case: on every kind of input, and in training unless the case is too large."""

    inputs: tuple[Expected, ...]
    training: Training | None = None


@functools.lru_cache(maxsize=128)
def expectations(case: Case) -> Expectation:
    """What the reference says on every kind of input and in training, once for all backends and runs."""

    def compute() -> Expectation:
        training = expect_training(case) if case.trained else None
        return Expectation(tuple(expect(case, kind) for kind in inputs.KINDS), training)

    return kept(Expectation, case, compute)


def check(
    case: Case, backend: InferenceBackend, expectation: Expectation | None = None, device: str = ""
) -> list[CheckResult]:
    """Builds the case in the backend and compares it with the reference, level by level.

    ``device`` is one of the backend's, by default the first. Of a backend that has inference alone the levels that
    train are not among the results; `examine` says so.

    Raises:
        NotAvailable: if the backend does not have the variant of its blocks on the device.
    """
    return examine(case, backend, expectation, device)[0]


def examine(
    case: Case, backend: InferenceBackend, expectation: Expectation | None = None, device: str = ""
) -> tuple[list[CheckResult], list[Unavailable]]:
    """`check`, and the levels that were not run because the backend does not have what they ask for."""
    backend = as_variant(backend, device=device)
    items = list(_levels(case, backend, expectation or expectations(case)))
    judged = [item for item in items if not isinstance(item, Unavailable)]
    absent = [item for item in items if isinstance(item, Unavailable)]
    failed = {result.level for result, _ in judged if not result.passed} - {"case"}  # no layer is at fault for that
    if not failed:
        return [result for result, _ in judged], absent
    try:
        rows = divergence.trace(case, backend, training=not failed.isdisjoint(training.LEVELS))
    except Exception:  # what it raised, a level has said already
        rows = []
    wrongs = [result.level in failed and not result.passed for result, _ in judged]
    pairs = zip(judged, wrongs, strict=True)
    return [_located(case, result, names, rows) if wrong else result for (result, names), wrong in pairs], absent


Judged = tuple[CheckResult, list[str]]  # with the arrays that are wrong, where the level is about arrays by name


def _levels(case: Case, backend: Backend, expectation: Expectation) -> Iterator[Judged | Unavailable]:
    device = ""

    def judge(level: str, problem: str | None, wrong: Iterable[str] = (), **more: Any) -> Judged:
        message = f"[{case.id} / {backend.NAME}] {level}: {problem or 'agrees'}"
        about = case.id, case.spec.family, backend.NAME, level, problem is None, message
        return CheckResult(*about, **more, device=device), list(wrong)

    for item in expectation.inputs:
        if item.degenerate:
            yield judge("case", f"the output on {item.input} is all but constant, so no port could fail")
    params = randomised(case.spec, case.seed)
    try:
        built = backend.build(case.spec, params, dtype=case.dtype, strict=case.dtype == "float64")
        device = built.device
        outputs = [built.forward(item.x) for item in expectation.inputs]
    except NotAvailable:
        raise
    except Exception as error:  # whatever a framework raises is this backend's result
        yield judge("builds", first_line(error))
        return
    yield judge("builds", None)
    shapes = {output.shape for output in outputs}
    right = case.spec.output_shape(case.input_shape)
    problem = None if shapes == {right} else f"the output is {', '.join(map(str, shapes))}; the spec says {right}"
    yield judge("shape", problem)
    held, trainable = built.params(), built.trainable()
    misfits = _misfits(case.spec, params, held, trainable)
    yield judge(
        "parameters",
        "; ".join(f"{what}: {', '.join(names)}" for what, names in misfits.items()) or None,
        [name for names in misfits.values() for name in names],
        trainable=sum(array.size for name, array in held.items() if name in trainable),
        buffers=sum(array.size for name, array in held.items() if name not in trainable),
    )
    for item, output in zip(expectation.inputs, outputs, strict=True):
        found = compare(output, item.y, item.allowance)
        problem = found.problem and f"on {item.input}: {found.problem}"
        yield judge("forward", problem, input=item.input, error=found.error, allowance=found.allowance)
    if expectation.training:
        yield from _trained(case, backend, expectation.training, judge)


def _trained(
    case: Case, backend: Backend, plain: Training, judge: Callable[..., Judged]
) -> Iterator[Judged | Unavailable]:
    strict = case.dtype == "float64"
    differences = [] if strict else [row for row in backend.DIFFERENCES if row.apply(case.spec) != case.spec]
    wanted = plain
    for difference in differences:
        wanted = training.differing(case, wanted, difference)
    observed = training.observe(case, backend, plain, strict)
    if not case.also_in_float64:
        for level, what, names in training.hidden(case, plain):
            where = f"{level} ({what})" if what else level
            arrays = names[0] + (f" and {len(names) - 1} more" if names[1:] else "")
            problem = f"in {where} rounding can hide a mistake of {100 * training.HIDDEN:g} % in {arrays}"
            yield judge("case", problem, input=what)
    occurred: set[str] = set()
    visible: set[str] = set()
    pairs = zip(training.expected(wanted), training.expected(plain), strict=True)
    for (level, what, values), (_, _, own) in pairs:
        try:
            given = next(observed)
        except NotAvailable as error:
            reason = f"not run from `{level}` on: {error}"
            yield Unavailable(backend.NAME, case.id, NOT_TRAINED, reason)
            return
        except Exception as error:  # a level that raises leaves nothing to go on from
            yield judge(level, first_line(error), input=what)
            return
        found, wrong = compare_all(given, values)
        problem = found.problem and (f"{what}: {found.problem}" if what else found.problem)
        yield judge(level, problem, wrong, input=what, error=found.error, allowance=found.allowance)
        here = {row.id for row in differences if level in row.levels}
        if compare_all(given, own)[1]:  # the spec itself is not met here
            occurred |= here
        if compare_all(values.exact, own.widened(2))[1]:  # and could not be, by what agrees with the relation
            visible |= here
    for row in (row for row in differences if row.id in visible):
        gone = f"`{row.id}` no longer occurs: take its row out of known_differences.toml"
        yield judge("known_differences", None if row.id in occurred else gone, input=row.id)


def _misfits(spec: BlockSpec, params: Arrays, held: Arrays, trainable: frozenset[str]) -> dict[str, list[str]]:
    """What is wrong with the arrays that a framework holds: names, shapes, values, and which are trained."""
    expected = {param.name for param in spec.params() if param.trainable}
    both = {name for name in params if name in held}
    reshaped = {name for name in both if held[name].shape != params[name].shape}
    found = {
        "missing": params.keys() - held.keys(),
        "unexpected": held.keys() - params.keys(),
        "trainable but should not be": trainable - expected,
        "not trainable but should be": (expected - trainable) & held.keys(),
        "of another shape": reshaped,
        "not the values given": {n for n in both - reshaped if not np.array_equal(held[n], params[n])},
    }
    return {what: sorted(names) for what, names in found.items() if names}


STAGES = {
    "shape": divergence.OUTPUT,
    "forward": divergence.OUTPUT,
    "forward_train": divergence.TRAINED,
    "buffers": divergence.TRAINED,
    "gradients": divergence.GRADIENT,
    "trajectory": divergence.GRADIENT,
}


def _located(case: Case, result: CheckResult, wrong: list[str], rows: list[LayerRow]) -> CheckResult:
    """A failed result with the layer at which the failure begins."""
    row = divergence.first(rows, STAGES.get(result.level, ""))
    if row:
        return replace(result, layer=row.node, message=f"{result.message}; {divergence.told(row)}")
    # Every layer computes what it should: what is wrong is what is held, or how it is renewed.
    order = [param.name for param in case.spec.params()]
    trained = {param.name for param in case.spec.params() if param.trainable}
    layers = list(dict.fromkeys(n.rpartition(".")[0] for n in sorted(wrong, key=[*order, *wrong].index)))
    if result.level == "trajectory" and len({n.rpartition(".")[0] for n in trained.intersection(wrong)}) > 1:
        layers = [divergence.OPTIMISER]
    return replace(result, layer=layers[0], message=f"{result.message}; at `{layers[0]}`") if layers else result
