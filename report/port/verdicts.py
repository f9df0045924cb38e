"""The verdict on two open modules: with arrays drawn at random, or as they are, with the arrays that they hold."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from common.layers.values import Shape
from common.port import bounds, held, orders
from common.port.alignment import Alignment
from common.port.comparing import Comparison, How, compare_live
from common.port.folding import Folded, folds
from common.port.given import Given, real, values_of
from common.port.matching import SHOWN, Matching, match, randomised
from common.port.weights import PortError, Unmatched

LOOSE = ("torch", "paddle")  # whose constants can be known to float32 only
SAME_IN_FLOAT32 = "equal to float32: they differ by no more than constants that a framework keeps in float32"
ROUNDED = "equal to float32: they differ by no more than arrays that are rounded to float32"
FLOAT32 = 2.0**-24
NOTHING = Matching(Alignment({}, ""), (), (), [], [])


def judged(lives: tuple[Any, Any], kinds: Sequence[str], shapes: Sequence[Shape], how: How) -> Comparison:
    """The comparison of two open modules; if they differ, constants of a module may be known to float32 only."""
    try:
        comparison = compare_live(*lives, shapes, how)
    except Unmatched as error:
        if how.folds and (comparison := _folded(lives, shapes, how)):
            return comparison
        raise error from None
    if comparison.agrees or not any(kind in LOOSE for kind in kinds):
        return comparison
    pair, again, side = lives, replace(how, matching=comparison.matching), ""
    if kinds[0] != "torch" and (kinds[1] == "torch" or kinds[0] not in LOOSE):
        arrays = how.copied or (how.arrays and comparison.matching.moved(how.arrays, lives[1].nature.shapes))
        copied = how.copied and how.arrays
        pair, side = (lives[1], lives[0]), f"seen from {kinds[1]}: "
        again = replace(how, arrays=arrays, copied=copied, matching=comparison.matching.reversed())
    loose = compare_live(*pair, shapes, again, loose=True)
    layers = loose.layers
    if side:
        layers = tuple(replace(layer, first=layer.second, second=layer.first) for layer in layers)
    told = replace(comparison, findings=loose.findings, divergence=None, mode=loose.mode, layers=layers)
    if loose.agrees:
        return replace(told, reasons=(), notes=(*comparison.notes, SAME_IN_FLOAT32))
    # What constants in float32 explain is not why the modules differ.
    reasons = tuple(side + reason for reason in loose.reasons) or comparison.reasons
    return replace(told, divergence=loose.divergence and side + loose.divergence, reasons=reasons)


def _folded(lives: tuple[Any, Any], shapes: Sequence[Shape], how: How) -> Comparison | None:
    """The comparison in evaluation of two modules, one of which has norms that the other has folded; None in doubt."""
    xs = [values_of(shape) for shape in shapes]
    for live, other in (lives, lives[::-1]):
        names = how.names and (how.names if live is lives[0] else {b: a for a, b in how.names.items()})
        drawn = randomised(live.nature.shapes)
        passes = live.observe(drawn, xs), other.observe(randomised(other.nature.shapes), xs)
        for fold in folds(live.nature, passes[0]):
            folded = fold.arrays(drawn)
            own = {name: array.shape for name, array in folded.items()}
            try:
                matching = match((own, fold.seen), (other.nature.shapes, passes[1].layers), names)
            except PortError:
                continue
            pair = (Folded(live, fold), other)
            results = []
            for arrays, factor in ((drawn, 1.0), (bounds.far(drawn), bounds.REACH)):
                given = [Given(x * factor) if real(x) else Given(x) for x in xs]
                copied = matching.moved(fold.arrays(arrays), other.nature.shapes)
                plain = replace(matching, pairs=())
                asked = replace(how, arrays=arrays, copied=copied, matching=plain, training=False)
                results.append(compare_live(*pair, given, asked))
            worst = next((found for found in results if not found.agrees), results[0])
            branches = any(len(group) > 1 for group in fold.branches.values())
            if branches and not worst.agrees:
                continue
            which = "first" if live is lives[0] else "second"
            return replace(worst, matching=matching, notes=(*worst.notes, fold.text(which)), fold=fold)
    return None


def as_they_are(lives: tuple[Any, Any], kinds: Sequence[str], shapes: Sequence[Shape], how: How) -> Comparison:
    """The comparison in evaluation of two open modules with the arrays that they hold; ``reasons`` say why they differ.

    Equal arrays in both, drawn at random, say first which array is which, and whether the code is the same.

    Raises:
        PortError: if a module holds no arrays, or cannot be run.
    """
    first, second = ({n: a.astype(np.float64) for n, a in live.arrays().items()} for live in lives)
    how = replace(how, training=False)
    try:
        code = judged(lives, kinds, shapes, replace(how, reordered=True))
    except PortError as error:
        own = _held(lives, kinds, shapes, replace(how, arrays=first, copied=second, matching=NOTHING), True)
        said = " ".join([f"arrays were not compared: {error}", *error.details[:1]])
        return replace(own, divergence=None, reasons=() if own.agrees else (said,), notes=(*own.notes[1:], said))
    if code.fold:
        return _as_folded(lives, kinds, shapes, how, code)
    matching = code.matching
    problems = held.wrong(matching.moved(first, lives[1].nature.shapes), second)
    given = replace(how, arrays=first, copied=second, matching=matching)
    own = _held(lives, kinds, shapes, given, not problems)
    listed = _listed(problems, {name: " + ".join(one) for one, other in matching.pairs for name in other})
    stands = [
        f"the {which} module is in training mode as it stands; it is compared in evaluation"
        for which, live in zip(("first", "second"), lives, strict=True)
        if live.nature.training
    ]
    alignment = matching.alignment
    aligned = f"matched {len(alignment.names)} layers {alignment.how}; both modules keep their own weights"
    notes = [aligned, *own.notes[1:], *orders.forms(matching, *(live.nature.shapes for live in lives)), *stands]
    if own.agrees:
        notes += [f"the outputs do not show it, but {text}" for text in listed]
        return replace(own, notes=tuple(notes), code=code)
    return replace(own, notes=tuple(notes), code=code, reasons=tuple(_reasons(listed, code)))


def _as_folded(
    lives: tuple[Any, Any], kinds: Sequence[str], shapes: Sequence[Shape], how: How, code: Comparison
) -> Comparison:
    """`as_they_are` of modules one of which has norms that the other has folded."""
    assert code.fold
    pair = lives if code.fold.nature is lives[0].nature else lives[::-1]
    first, second = ({n: a.astype(np.float64) for n, a in live.arrays().items()} for live in pair)
    wanted = code.matching.moved(code.fold.arrays(first), pair[1].nature.shapes)
    problems = held.wrong(wanted, second)
    given = replace(how, arrays=first, copied=second, matching=replace(code.matching, pairs=()))
    own = _held((Folded(pair[0], code.fold), pair[1]), kinds, shapes, given, not problems)
    names = {name: " + ".join(one) for one, other in code.matching.pairs for name in other}
    listed = _listed(problems, names, "the folded module")
    unseen = [f"the outputs do not show it, but {text}" for text in listed] if own.agrees else []
    reasons = [] if own.agrees else _reasons(listed, code)
    return replace(own, code=code, notes=(*own.notes, code.notes[-1], *unseen), reasons=tuple(reasons))


def _held(lives: tuple[Any, Any], kinds: Sequence[str], shapes: Sequence[Shape], how: How, rounded: bool) -> Comparison:
    """The comparison with the arrays in ``how``, which may be ``rounded`` to float32 in one module."""
    exact = judged(lives, kinds, shapes, how)
    if exact.agrees or not rounded:
        return exact
    loose = judged(lives, kinds, shapes, replace(how, exact=FLOAT32))
    return replace(loose, notes=(*loose.notes, ROUNDED)) if loose.agrees else exact


def _listed(problems: dict[str, str], names: dict[str, str], where: str = "the first") -> list[str]:
    lines = [f"array `{name}` (`{names[name]}` in {where}) {text}" for name, text in problems.items()]
    return lines[:SHOWN] + ([f"{len(lines) - SHOWN} more arrays differ"] if len(lines) > SHOWN else [])


def _reasons(listed: list[str], code: Comparison) -> list[str]:
    if code.agrees:
        return [*listed, "the arrays, not the code: with the arrays of the first, the second computes the same"]
    findings = (f"{finding.what}: {finding.problem}" for finding in code.findings if finding.problem)
    where = code.divergence or next(findings)
    also = "the code differs, too" if listed else "the code: all arrays are equal"
    return [*listed, f"{also}; with equal arrays the first layer that differs is {where}", *code.reasons]
