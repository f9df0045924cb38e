"""How sums and single operations round: deviations in units of the type's unit roundoff u.

A sum of K terms t_i, accumulated one by one, rounds each partial sum to u/sqrt(3) of its size (uniform). For terms in
no particular order the partial sums grow as k y/K plus a random walk, which gives the sum a standard deviation of
u sqrt(K (y^2/9 + Q/6) + Q/3), where y is the result and Q = sum t_i^2. Libraries that accumulate in blocks do better.
"""

import numpy as np

PIXELS = (0, 2, 3)  # the axes of an NCHW array that a channel extends over


def last(y: np.ndarray) -> np.ndarray:
    """The deviation of one rounding of ``y``: uniform within half a unit in the last place."""
    return np.abs(y) / np.sqrt(3)


def summed(y: np.ndarray, squares: np.ndarray, terms: int) -> np.ndarray:
    """The deviation of a sequential sum ``y`` of ``terms`` terms whose squares sum to ``squares``."""
    return np.sqrt(terms * (y**2 / 9 + squares / 6) + squares / 3)


def repeated(x: np.ndarray, axes: tuple[int, ...] = PIXELS) -> np.ndarray:
    """The factor by which equal terms raise the deviation of sums of ``x`` over ``axes``; 1 if no terms are equal.

    A partial sum is a multiple of its last place, so the error of adding a term depends on that term alone while the
    exponent stays. Equal terms have equal errors, and m of them add up to m times one, not sqrt(m) times.
    """
    others = tuple(axis for axis in range(x.ndim) if axis not in axes)
    values = np.sort(x.transpose(*others, *axes).reshape(*(x.shape[axis] for axis in others), -1))
    new = np.diff(values, prepend=np.nan) > 2.0**-32 * np.abs(values)
    new[..., 0] = True
    group = np.cumsum(new.ravel()) - 1
    times = np.bincount(group)[group].reshape(values.shape)
    return np.sqrt(np.maximum(1, np.where(values, times, 0).mean(-1)))
