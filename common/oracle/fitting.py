"""The oracle of training on labelled data: cross-entropy, its gradient, and the losses that float32 rounding explains.

Training amplifies rounding: each step starts from the errors of the step before, so the band around the oracle's
losses grows until it says nothing. The band is meant for the first steps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from common.oracle.backprop import Exact, Pass, train
from common.oracle.digits import Batch
from common.oracle.optimisers import Optimiser, updater
from common.oracle.rounding import ALLOWED, SAMPLES, UNIT_ROUNDOFF
from common.oracle.training_rounding import Rounded
from common.spec import BlockSpec
from common.spec.params import Arrays


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each sample's softmax cross-entropy from ``[n, classes]``, and the gradient of their mean by the logits."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = powers / powers.sum(1, keepdims=True)
    right = labels[:, None] == np.arange(logits.shape[1])
    return -np.log(probabilities[right]), (probabilities - right) / len(labels)


def fit(
    spec: BlockSpec, params: Arrays, batches: Sequence[Batch], optimiser: Optimiser, disturb: Exact | None = None
) -> Iterator[tuple[float, Pass, Arrays]]:
    """Mean cross-entropy, training pass and all arrays after the step, batch by batch, in float64."""
    disturb = disturb or Exact()
    update = updater(optimiser, disturb.complement)
    state = {name: array.astype(np.float64) for name, array in params.items()}
    for x, labels in batches:
        losses: list[float] = []

        def cotangent(logits: np.ndarray, labels: np.ndarray = labels, losses: list[float] = losses) -> np.ndarray:
            loss, dy = disturb.loss(logits, *cross_entropy(logits, labels))
            losses.append(loss)
            return dy

        step = train(spec, state, x, cotangent, disturb)
        state = disturb.state(update(state, step.gradients) | step.statistics)
        yield losses[0], step, state


@dataclass(frozen=True)
class Losses:
    """The oracle's loss at each step, and how far from it a loss computed with rounding may be."""

    exact: np.ndarray
    allowed: np.ndarray

    def parting(self, losses: np.ndarray) -> int | None:
        """The first step, from 1, whose loss is further from the oracle's than rounding explains."""
        beyond = ~(np.abs(losses[: len(self.exact)] - self.exact) <= self.allowed[: len(losses)])
        return int(beyond.argmax()) + 1 if beyond.any() else None


def expected_losses(
    spec: BlockSpec, params: Arrays, batches: Sequence[Batch], optimiser: Optimiser, dtype: str = "float32"
) -> Losses:
    """Runs the oracle, and SAMPLES replicas of it with rounding added to each operation.

    The band is ALLOWED root mean square deviations of the replicas' losses, as in `common.oracle.training_rounding`.
    """
    u = UNIT_ROUNDOFF[dtype] + UNIT_ROUNDOFF["float64"]
    rng = np.random.default_rng(0)

    def losses(disturb: Exact) -> np.ndarray:
        return np.array([loss for loss, *_ in fit(spec, params, batches, optimiser, disturb)])

    exact = losses(Exact())
    squares = [(losses(Rounded(rng, u)) - exact) ** 2 for _ in range(SAMPLES)]
    return Losses(exact, ALLOWED * np.sqrt(np.mean(squares, 0)))
