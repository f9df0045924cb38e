"""A pass in which values are far from 0: activations that differ beyond a bound only (ReLU and ReLU6) must be seen.

The arrays that are drawn for the other passes give values near 0. A branch of few channels, such as
squeeze-and-excitation, may then never reach a bound. Here biases reach `REACH`, one element in each part of the range
between, and so do inputs. They do not grow with depth, as they would if weights were large.
"""

import numpy as np

from common.layers.values import Shape
from common.spec.params import Arrays

REACH = 10.0
NEAR = 1e-9  # relative to the greatest output: what differs by more is judged


def far(arrays: Arrays) -> Arrays:
    """The arrays with other biases, evenly from -`REACH` to `REACH` in each array, in random order."""
    rng = np.random.default_rng(3)

    def bias(shape: Shape) -> np.ndarray:
        size = int(np.prod(shape))
        return REACH * (2 * rng.permutation(size).reshape(shape) + 1 - size) / size

    return {name: bias(a.shape) if name.rpartition(".")[2] == "bias" else a for name, a in arrays.items()}


def near(right: Arrays, actual: Arrays) -> bool:
    """Whether outputs need no judgement: they are equal to `NEAR`, or the right ones are not finite."""
    for name, y in right.items():
        with np.errstate(invalid="ignore", over="ignore"):
            error, greatest = np.abs(actual[name] - y), np.abs(y).max(initial=0.0)
        if np.isfinite(greatest) and not (error <= NEAR * greatest).all():
            return False
    return True
