"""Two live modules, written by anybody: are they the same function? Layer by layer, in float64.

No spec says what a foreign module should compute, so the first module is the standard for the second, and its
sensitivity sets the allowance. Both are run in float64, where rounding is near 1e-16, with the same arrays (drawn at
random: nothing is 0 or 1). The first is then run again with its input and all its arrays known to 40 bits only: each
number times 1 + 2^-40 n, n standard normal. That is about 10,000 roundings of float64 in every number: more than any
order of summation causes, and 10,000 times less than a rounding of float32. The passes give a deviation for each
element, which is at least the root mean square of its array. An element of the second may be `ALLOWED` deviations away
(`common.oracle.rounding` says why so many).

`ALLOWED` times a relative error of `Nature.precision` is added: 2^-40 too, or the unit roundoff of float32 if a
framework's float64 training multiplies by a number that it has rounded to float32.

If all of this agrees, outputs in evaluation are compared once more, with values far from 0: see `common.port.bounds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.layers.values import Shape
from common.port import bounds, orders, pairing, parting
from common.port import reasons as why
from common.port.alignment import Alignment, NameMap
from common.port.allowances import allowances
from common.port.fingerprints import matched
from common.port.folding import Fold
from common.port.given import real, values_of
from common.port.live import PRECISION, Cotangents, Live, Observed, moving
from common.port.matching import Matching, randomised
from common.port.parting import Finding
from common.port.passes import Pass, findings_of, paired, refuse_constant
from common.port.settings import Difference, differences
from common.port.weights import PortError
from common.spec.params import Arrays


@dataclass(frozen=True)
class How:
    """What a caller says of a comparison.

    ``names`` maps layers or arrays of the first to those of the second where order and shapes do not decide. ``output``
    is the only one that is compared. ``layout`` is that of JAX's inputs. ``training`` is compared too. If
    ``reordered``, arrays may have their numbers in another order in the second (`common.port.orders`). ``arrays`` are
    the first's, in float64, and are drawn unless given; ``matching`` is found unless given. ``copied`` are the
    second's, which are those of the first unless given; every number is known to ``exact``. ``as_is`` asks for the
    arrays that both hold, ``folds`` allows that one module has norms folded into convolutions (`report.port.verdicts`).
    """

    names: NameMap | None = None
    output: str | None = None
    layout: str | None = None
    training: bool = True
    reordered: bool = False
    arrays: Arrays | None = None
    matching: Matching | None = None
    copied: Arrays | None = None
    as_is: bool = False
    folds: bool = True
    exact: float = PRECISION


PLAIN = How()


@dataclass(frozen=True)
class Comparison:
    """The result of comparing two modules."""

    matching: Matching
    findings: tuple[Finding, ...]
    divergence: str | None  # the first layer, in order of execution, whose output differs
    notes: tuple[str, ...]
    reasons: tuple[str, ...] = ()  # why, in sentences
    settings: tuple[Difference, ...] = ()  # of layers that are partners
    fold: Fold | None = None  # of the norms that only one module has
    code: "Comparison | None" = None  # of modules as they are: the comparison with equal arrays
    mode: str = "evaluation"  # the first in which they differ
    layers: tuple[parting.Layer, ...] = ()  # in that mode
    frameworks: tuple[str, ...] = ()  # of the first and of the second

    @property
    def alignment(self) -> Alignment:
        return self.matching.alignment

    @property
    def agrees(self) -> bool:
        return all(finding.problem is None for finding in self.findings)


def compare_live(
    first: Live, second: Live, shapes: Sequence[Shape], how: How = PLAIN, loose: bool = False
) -> Comparison:
    """Aligns two modules, gives both the same arrays, and compares everything that can be seen of them.

    ``shapes`` are the inputs', (n, c, h, w) where they are maps. ``loose`` if constants in the first count as known to
    float32 only.

    Raises:
        PortError: if the layers or outputs do not match, or all outputs are constant.
    """
    one, other, output = first.nature, second.nature, how.output
    arrays = how.arrays or randomised(one.shapes)
    xs = [values_of(shape) for shape in shapes]
    rounded = 0 if loose else None
    evaluated, matching = first.observe(arrays, xs, loose=rounded), how.matching
    if matching is None:
        matching, answer = matched(first, second, arrays, xs, evaluated, how.names, output, how.reordered)
        if how.reordered:
            matching, answer = orders.ordered(first, second, matching, arrays, xs, evaluated)
        copied = matching.moved(arrays, other.shapes)
    else:
        copied = how.copied or matching.moved(arrays, other.shapes)
        answer = second.observe(copied, xs)
    ties, alignment = pairing.tied(evaluated.outputs, answer.outputs, (one, other), output), matching.alignment
    for nature, pass_, before in ((one, evaluated, arrays), (other, answer, copied)):
        if _moved(before, pass_):
            raise PortError(f"the module in {nature.framework} trains in evaluation: no switch of its mode was found")
    copies = parting.bits(((arrays, evaluated.arrays), (copied, answer.arrays)))
    findings = [copies] if copies.problem or how.copied is None else []  # nothing was copied: the arrays may differ
    findings += parting.constants(one.constants, other.constants)
    passes = [paired("evaluation", evaluated, answer, ties, matching, one.shapes)]
    dys = Cotangents({tie.first: (tie.first, "") for tie in ties}, output is not None)
    own_dys = Cotangents({tie.second: (tie.first, tie.layout) for tie in ties}, output is not None)
    left_out, trained = "", None
    if how.training:
        left_out, trained = _training(first, second, (arrays, copied), xs, (dys, own_dys), rounded)
    if trained:
        aux = trained[0].outputs.keys() != evaluated.outputs.keys()
        tied = pairing.tied(trained[0].outputs, trained[1].outputs, (one, other), output) if aux else ties
        passes.append(paired("training", *trained, tied, matching, one.shapes))
    precision = max(one.precision, other.precision)
    differing = differences(alignment.names, ((one, evaluated), (other, answer)))
    divergence, reasons, mode, layers = None, list[str](), "", ()

    def judge(pass_: Pass, params: Arrays, given: list[np.ndarray]) -> None:
        nonlocal divergence, reasons, mode, layers
        cotangents = dys if pass_.mode == "training" else None
        allowed = allowances(first, params, given, cotangents, pass_.right, precision, loose, how.exact)
        results = list(findings_of(pass_, allowed))
        if pass_.mode == "evaluation" and not (how.copied and any(finding.problem for finding in results)):
            refuse_constant(pass_.right, allowed)
        wrong = any(finding.problem for finding in results)
        if not mode or (wrong and divergence is None):
            mode, layers = pass_.mode, parting.layers(pass_.right, pass_.actual, allowed, alignment.names)
        findings.extend(results)
        if divergence is None and wrong:
            parted = parting.first(pass_.right, pass_.actual, allowed, alignment.names)
            divergence = parted and parted.text
            reasons = why.of_settings(parted, differing, pass_.right, pass_.mode == "training")
            reasons = reasons or why.of_activation(parted, pass_.right, pass_.actual, alignment.names)
            if not reasons and parted and how.matching is None and not how.reordered:
                reasons = why.of_order(first, second, matching, arrays, xs, evaluated)

    for pass_ in passes:
        judge(pass_, arrays, xs)
    if how.arrays is None and not any(finding.problem for finding in findings):
        far, wide = bounds.far(arrays), [bounds.REACH * x if real(x) else x for x in xs]
        right = first.observe(far, wide, loose=rounded)
        actual = second.observe(matching.moved(far, other.shapes), wide)
        pass_ = paired("evaluation far from 0", right, actual, ties, matching, one.shapes)
        if not bounds.near(pass_.right.outputs, pass_.actual.outputs):
            judge(pass_, far, wide)
    last, hidden = passes[-1], "jax" in (one.framework, other.framework)
    different = None if hidden else parting.dropped(last.right, last.actual)
    findings += [Finding("dropout", different)] if different else []
    unseen = hidden and bool(last.right.dropped or last.actual.dropped)
    values = sum(array.size for array in arrays.values())
    notes = [f"matched {len(alignment.names)} layers {alignment.how}; {values:,} values copied", *matching.notes]
    notes += [*alignment.doubts, *pairing.notes(ties)] + ([f"training is left out: {left_out}"] if left_out else [])
    notes += ["dropout of a plain function of JAX cannot be seen: its rate was not compared"] if unseen else []
    for nature, live in ((one, first), (other, second)):
        notes += [f"{nature.framework}: {note}" for note in dict.fromkeys(live.notes)]
    found = Comparison(matching, tuple(findings), divergence or different, tuple(notes), tuple(reasons))
    return replace(found, settings=tuple(differing), mode=mode, layers=layers)


def _moved(before: Arrays, after: Observed) -> bool:
    return any(moving(name) and not np.array_equal(a, after.arrays[name], equal_nan=True) for name, a in before.items())


def _training(
    first: Live,
    second: Live,
    arrays: tuple[Arrays, Arrays],
    xs: list[np.ndarray],
    dys: tuple[Cotangents, Cotangents],
    loose: int | None,
) -> tuple[str, tuple[Observed, Observed] | None]:
    """Both modules' training passes, or why there are none to compare."""
    passes = []
    for live, params, cotangents in zip((first, second), arrays, dys, strict=True):
        name, (pass_, again) = (
            live.nature.framework,
            (live.observe(params, xs, cotangents, None if passes else loose) for _ in range(2)),
        )
        if any(not np.array_equal(y, again.outputs[key], equal_nan=True) for key, y in pass_.outputs.items()):
            return f"the module in {name} trains at random, even without dropout: two passes differ", None
        norms = any(map(moving, params))
        if not live.nature.moded and norms and not _moved(params, pass_):
            return f"no switch of the mode was found in {name}, whose norms did not move", None
        passes.append(pass_)
    return "", (passes[0], passes[1])
