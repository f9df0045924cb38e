"""How far a module may be off from another that is its standard: see `common.port.comparing`."""

from collections.abc import Sequence

import numpy as np

from common.oracle.rounding import ALLOWED
from common.port.given import real
from common.port.live import PRECISION, Cotangents, Live, Observed, moving
from common.spec.params import Arrays

SAMPLES = 4  # each array gives as many deviations as it has elements, four times over


def _quantities(pass_: Observed) -> dict[str, Arrays]:
    """The results of a pass by kind; a layer's output by its path."""
    running = {name: array for name, array in pass_.arrays.items() if moving(name)}
    named = {"outputs": pass_.outputs, "layers": pass_.layers, "entries": pass_.entries}
    return named | {"gradients": pass_.gradients, "inputs": numbered(pass_), "statistics": running}


def numbered(pass_: Observed) -> Arrays:
    """The gradients of the inputs by name."""
    return {f"input {index}": array for index, array in enumerate(pass_.inputs)}


def allowances(
    live: Live,
    arrays: Arrays,
    xs: Sequence[np.ndarray],
    dys: Cotangents | None,
    exact: Observed,
    precision: float,
    loose: bool,
    known: float = PRECISION,
) -> dict[str, Arrays]:
    """How far each element may be off, from passes in which every number is ``known`` to a relative error."""
    rng = np.random.default_rng(2)
    right = _quantities(exact)
    squares = {kind: {name: np.zeros(a.shape) for name, a in named.items()} for kind, named in right.items()}

    def noisy(array: np.ndarray) -> np.ndarray:
        return array * (1 + known * rng.standard_normal(array.shape)) if real(array) else array

    for sample in range(SAMPLES):
        noise = {name: noisy(a) for name, a in arrays.items()}
        noisy_pass = _quantities(live.observe(noise, [noisy(x) for x in xs], dys, sample + 1 if loose else None))
        for kind, named in right.items():
            for name, array in named.items():
                with np.errstate(invalid="ignore", over="ignore"):  # what is not finite has no allowance
                    squares[kind][name] += (noisy_pass[kind][name] - array) ** 2 / SAMPLES
    # A gradient that is only rounding (of a bias before a norm) is compared at the size of its layer's others.
    sizes: dict[str, float] = {}
    for name, array in exact.gradients.items():
        sizes[_layer(name)] = max(sizes.get(_layer(name), 0.0), _mean_square(array))

    def allowed(kind: str, name: str, square: np.ndarray) -> np.ndarray:
        array = right[kind][name]
        scale = max(_mean_square(array), sizes[_layer(name)] if kind == "gradients" else 0.0)
        relative = precision if kind in ("gradients", "inputs", "statistics") else PRECISION
        with np.errstate(invalid="ignore", over="ignore"):
            size = np.sqrt(np.maximum(array**2, scale))
            return ALLOWED * (np.sqrt(np.maximum(square, square.mean())) + relative * size)

    return {kind: {name: allowed(kind, name, s) for name, s in named.items()} for kind, named in squares.items()}


def _mean_square(array: np.ndarray) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float((array**2).mean())


def _layer(name: str) -> str:
    """The layer that an array belongs to."""
    return name.rpartition(".")[0]
