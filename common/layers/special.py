"""SciPy's functions of one array. Their import takes a third of a second, and most processes never call them."""

import numpy as np


def erf(x: np.ndarray) -> np.ndarray:
    """The error function."""
    from scipy import special

    return special.erf(x)


def expit(x: np.ndarray) -> np.ndarray:
    """The logistic sigmoid."""
    from scipy import special

    return special.expit(x)


def ndtri(p: np.ndarray) -> np.ndarray:
    """The quantiles of the standard normal distribution."""
    from scipy import special

    return special.ndtri(p)
