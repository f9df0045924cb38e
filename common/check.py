"""(case, backend) -> CheckResults: the one judgement of whether a framework's block is what its spec says.

Levels, each a line of its own; a failed one does not hide the ones below it: `case` (fails only if the case could not
tell right from wrong), `builds`, `shape`, `parameters`, `forward` (evaluation mode, on each kind of input), those of
`common.training_check`, and `known_differences` (fails if a declared difference no longer occurs). In float32 a backend
is taken as it is, with its declared differences; in float64 it is built ``strict``, to follow the spec with none.
"""

import functools
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import inputs, reference, tolerances, training_check
from common.catalogue import Case
from common.params import Arrays, randomised
from common.protocols import Backend
from common.results import CheckResult
from common.training_check import Training, Values, expect_training

LEVELS = ("case", "builds", "shape", "parameters", "forward", *training_check.LEVELS, "known_differences")


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
    params = randomised(case.spec, case.seed)
    x = inputs.make(kind, case.input_shape, case.seed)
    values = reference.run(case.spec, params, x)
    output = case.spec.nodes[-1].name
    return Expected(kind, x, values[output], tolerances.allowances(case.spec, params, values, case.dtype)[output])


@dataclass(frozen=True)
class Expectation:
    """All that the reference says of a case: on every kind of input, and in training unless the case is too large."""

    inputs: tuple[Expected, ...]
    training: Training | None = None


@functools.lru_cache(maxsize=128)
def expectations(case: Case) -> Expectation:
    """Runs the reference on every kind of input and in training, once for all backends."""
    training = expect_training(case) if case.trained else None
    return Expectation(tuple(expect(case, kind) for kind in inputs.KINDS), training)


def first_line(error: BaseException) -> str:
    """``ValueError: the first line of its message``, or where it was raised if it has none."""
    if lines := str(error).strip().splitlines():
        return f"{type(error).__name__}: {lines[0]}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {frame.line}"


def check(case: Case, backend: Backend, expectation: Expectation | None = None) -> list[CheckResult]:
    """Builds the case in the backend and compares it with the reference, level by level."""

    def result(level: str, problem: str | None, **numbers: object) -> CheckResult:
        message = f"[{case.id} / {backend.NAME}] {level}: {problem or 'agrees'}"
        return CheckResult(case.id, case.spec.family, backend.NAME, level, problem is None, message, **numbers)  # type: ignore[arg-type]

    expectation = expectations(case) if expectation is None else expectation
    expected, strict = expectation.inputs, case.dtype == "float64"
    results = [
        result("case", f"the output on {item.input} is all but constant, so no port could fail")
        for item in expected
        if item.degenerate
    ]
    params = randomised(case.spec, case.seed)
    try:
        built = backend.build(case.spec, params, dtype=case.dtype, strict=strict)
        outputs = [built.forward(item.x) for item in expected]
    except Exception as error:  # whatever a framework raises is this backend's result
        return [*results, result("builds", first_line(error))]
    results.append(result("builds", None))
    shapes = {output.shape for output in outputs}
    right = case.spec.output_shape(case.input_shape)
    problem = None if shapes == {right} else f"the output is {', '.join(map(str, shapes))}; the spec says {right}"
    results.append(result("shape", problem))
    held = built.params()
    trainable = built.trainable()
    results.append(
        result(
            "parameters",
            "; ".join(_misfits(case, params, held, trainable)) or None,
            trainable=sum(array.size for name, array in held.items() if name in trainable),
            buffers=sum(array.size for name, array in held.items() if name not in trainable),
        )
    )
    for item, output in zip(expected, outputs, strict=True):
        problem, error, allowed = compare(output, item.y, item.allowance)
        problem = problem and f"on {item.input}: {problem}"
        results.append(result("forward", problem, input=item.input, error=error, allowance=allowed))
    if expectation.training is None:
        return results
    plain = wanted = expectation.training
    differences = [] if strict else [row for row in backend.DIFFERENCES if row.apply(case.spec) != case.spec]
    for difference in differences:
        wanted = training_check.differing(case, wanted, difference)
    observed = training_check.observe(case, backend, plain, strict)
    occurred: set[str] = set()
    pairs = zip(training_check.expected(wanted), training_check.expected(plain), strict=True)
    for (level, what, values), (_, _, own) in pairs:
        try:
            given = next(observed)
        except Exception as error:  # a level that raises leaves nothing to go on from
            return [*results, result(level, first_line(error), input=what)]
        problem, error, allowed = compare_all(given, values)
        problem = problem and f"{what}: {problem}" if what else problem
        results.append(result(level, problem, input=what, error=error, allowance=allowed))
        if compare_all(given, own)[0]:  # the spec itself is not met here
            occurred |= {row.id for row in differences if level in row.levels}
    for row in differences:
        gone = f"`{row.id}` no longer occurs: take its row out of known_differences.toml"
        results.append(result("known_differences", None if row.id in occurred else gone, input=row.id))
    return results


def compare_all(given: Arrays, values: Values) -> tuple[str | None, float | None, float | None]:
    """`compare` on arrays by name: a sentence about the worst, and its error and allowance."""
    if given.keys() != values.exact.keys():
        return f"arrays {', '.join(sorted(given.keys() ^ values.exact.keys()))} are missing or unexpected", None, None
    worst: tuple[str | None, float | None, float | None] = (None, None, None)
    least = np.inf
    for name, exact in values.exact.items():
        problem, error, allowed = compare(given[name], exact, values.allowed[name])
        if error is None or allowed is None:
            return f"of {name}: {problem}", None, None
        margin = allowed / error if error else np.inf
        if margin <= least:
            least, worst = margin, (problem and f"of {name}: {problem}", error, allowed)
    return worst


def _misfits(case: Case, params: Arrays, held: Arrays, trainable: frozenset[str]) -> Iterator[str]:
    """What is wrong with the arrays that a framework holds: names, shapes, values, and which are trained."""
    expected = {param.name for param in case.spec.params() if param.trainable}
    for what, names in (
        ("missing", params.keys() - held.keys()),
        ("unexpected", held.keys() - params.keys()),
        ("trainable but should not be", trainable - expected),
        ("not trainable but should be", (expected - trainable) & held.keys()),
        ("of another shape", {n for n in held.keys() & params.keys() if held[n].shape != params[n].shape}),
        (
            "not the values given",
            {
                n
                for n in held.keys() & params.keys()
                if held[n].shape == params[n].shape and not np.array_equal(held[n], params[n])
            },
        ),
    ):
        if names:
            yield f"{what}: {', '.join(sorted(names))}"


def compare(
    given: np.ndarray, right: np.ndarray, allowance: np.ndarray
) -> tuple[str | None, float | None, float | None]:
    """A sentence if ``given`` is too far off (else None), and error and allowance of the worst element."""
    if given.shape != right.shape:
        return f"shape {given.shape} cannot be compared with {right.shape}", None, None
    error = np.abs(given - right)
    error[~np.isfinite(error)] = np.inf
    ratio = np.divide(error, allowance, out=np.where(error > 0, np.inf, 0.0), where=allowance > 0)
    worst = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    worst_error, allowed = float(error[worst]), float(allowance[worst])
    if ratio[worst] <= 1:
        return None, worst_error, allowed
    wrong = int((ratio > 1).sum())
    where = f"at {tuple(map(int, worst))}; allowed {allowed:.1e} ({wrong} of {ratio.size} elements are too far off)"
    return f"greatest abs difference {worst_error:.1e} {where}", worst_error, allowed
