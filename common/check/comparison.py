"""An answer against the reference, element by element: how far off it is, and how far it may be."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.spec.params import Arrays


class Compared(NamedTuple):
    """A sentence if something is too far off (else None), and error and allowance of the worst element."""

    problem: str | None
    error: float | None
    allowance: float | None

    @property
    def margin(self) -> float:
        """Allowance over error: infinite where there is no error, 0 where nothing could be compared."""
        if self.error is None or self.allowance is None:
            return 0.0
        return self.allowance / self.error if self.error else np.inf


@dataclass(frozen=True)
class Values:
    """Named arrays of the reference and how far each of their elements may be off."""

    exact: Arrays
    allowed: Arrays

    def widened(self, factor: float) -> "Values":
        """The same with so many times the allowance."""
        return Values(self.exact, {name: factor * allowed for name, allowed in self.allowed.items()})


def compare(given: np.ndarray, right: np.ndarray, allowance: np.ndarray) -> Compared:
    """``given`` against ``right``; what is not finite, or has no finite allowance, is infinitely far off."""
    if given.shape != right.shape:
        return Compared(f"shape {given.shape} cannot be compared with {right.shape}", None, None)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.asarray(np.abs(1.0 * given - right))  # of integers, and of a number, too
    known = np.isfinite(error) & np.isfinite(allowance)
    error[~np.isfinite(error)] = np.inf
    compared = known & (allowance > 0)
    ratio = np.divide(error, allowance, out=np.where(known & (error == 0), 0.0, np.inf), where=compared)
    worst = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    worst_error, allowed = float(error[worst]), float(allowance[worst])
    if ratio[worst] <= 1:
        return Compared(None, worst_error, allowed)
    wrong = int((ratio > 1).sum())
    where = f"at {tuple(map(int, worst))}; allowed {allowed:.1e} ({wrong} of {ratio.size} elements are too far off)"
    return Compared(f"greatest abs difference {worst_error:.1e} {where}", worst_error, allowed)


def compare_all(given: Arrays, values: Values) -> tuple[Compared, list[str]]:
    """`compare` on arrays by name: the worst of them, and the names of all that are too far off."""
    if odd := given.keys() ^ values.exact.keys():
        problem = f"arrays {', '.join(sorted(odd))} are missing or unexpected"
        return Compared(problem, None, None), [name for name in values.exact if name in odd]
    found = {name: compare(given[name], exact, values.allowed[name]) for name, exact in values.exact.items()}
    name, worst = min(found.items(), key=lambda item: item[1].margin)
    problem = worst.problem and f"of {name}: {worst.problem}"
    return worst._replace(problem=problem), [name for name, compared in found.items() if compared.problem]
