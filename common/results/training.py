"""The results of training on the digits, and their versioned JSON: raw losses and counts, with no derived numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from common.oracle.fitting import Losses
from common.oracle.optimisers import SGD
from common.results.files import read
from common.results.record import NOT_INSTALLED, CaseCost, Unavailable

SCHEMA_VERSION = 1


def stored(values: Iterable[float]) -> list[float]:
    """Nine significant digits, which are all that a float32 has."""
    return [float(f"{value:.9g}") for value in values]


@dataclass(frozen=True)
class Fit:
    """One net trained in one backend from one seed: the losses of all steps, and the count of correct test images."""

    net: str
    backend: str
    seed: int
    losses: list[float]
    correct: int


@dataclass(frozen=True)
class Oracle:
    """The float64 reference's losses at the first steps from one seed, and how far from them rounding may lead."""

    net: str
    seed: int
    losses: list[float]
    allowed: list[float]

    @property
    def expected(self) -> Losses:
        return Losses(np.array(self.losses), np.array(self.allowed))


@dataclass
class TrainingRecord:
    """One run of training: the environment, the settings, the results, and what is missing."""

    environment: dict[str, str]
    backends: dict[str, dict[str, str]]
    seeds: int
    epochs: int
    batch: int
    optimiser: SGD
    train_images: int
    test_images: int
    costs: list[CaseCost] = field(default_factory=list)
    oracles: list[Oracle] = field(default_factory=list)
    fits: list[Fit] = field(default_factory=list)
    unavailable: list[Unavailable] = field(default_factory=list)
    seconds: float = 0.0
    schema_version: int = SCHEMA_VERSION

    @property
    def complete(self) -> bool:
        """Whether all that was asked for was done; a framework that is not installed was not asked."""
        return all(item.stage == NOT_INSTALLED for item in self.unavailable)


def load(path: Path) -> TrainingRecord:
    """Reads a record; raises as `common.results.record.read` does."""
    return read(path, TrainingRecord, SCHEMA_VERSION)
