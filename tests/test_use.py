"""A block that is right at once and wrong in use fails: each way to be wrong is shown to fail, at its level."""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import frameworks
from common.check.judge import check
from common.faults.cases import HEAD
from common.faults.rewrites import changed
from common.oracle.optimisers import Optimiser
from common.spec import inputs
from common.spec.catalogue import Case, block
from common.spec.params import Arrays
from tests.support import numpy_backend
from tests.support.numpy_backend import Built, Dropping

CASE = Case("tiny", block("conv_bn_act", in_channels=3, out_channels=4), (2, 3, 8, 9))


@pytest.fixture(autouse=True)
def right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)


class Writes(Built):
    def forward(self, x: np.ndarray) -> np.ndarray:
        y = super().forward(x)
        np.maximum(x, 0, out=x)
        return y


class WritesInTraining(Built):
    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        found = super().gradients(x, dy)
        dy[:] = 0
        return found


class Doubles(Built):
    """What a stray float64 constant does to an output."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        return super().forward(x) * np.float64(1)


class DoublesGradients(Built):
    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        return {name: array.astype(np.float64) for name, array in super().gradients(x, dy).items()}


class DoublesArrays(Built):
    def params(self) -> Arrays:
        return {name: array.astype(np.float64) for name, array in super().params().items()}


class Compiled(Built):
    """The arrays of the first call are constants of what was compiled then."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._constants = vars(self).get("_constants", self._params)
        held, self._params = self._params, self._constants
        y = super().forward(x)
        self._params = held
        return y


class Folded(Compiled):
    """A copy for inference that is renewed when arrays are loaded, and not when an optimiser renews them."""

    def load(self, params: Arrays) -> None:
        super().load(params)
        self._constants = params


class StaysInEvaluation(Built):
    """``eval()`` without ``train()``."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._training = True

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._training = False
        return super().forward(x)

    def forward_train(self, x: np.ndarray) -> np.ndarray:
        return super().forward_train(x) if self._training else self.forward(x)


class StaysAfterTraining(StaysInEvaluation):
    """The same, but that a step of an optimiser begins by ``train()`` and that the first one follows an evaluation."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._stepped = False

    def forward(self, x: np.ndarray) -> np.ndarray:
        y = super().forward(x)
        self._training = not self._stepped
        return y

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        self._training = self._stepped = True
        return super().trajectory(batches, optimiser)


class SkipsZeros(Built):
    """A zero is taken for a value that is missing."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        return super().forward(np.where(x == 0, x.dtype.type(1), x))


def failures(kind: type[Built], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(numpy_backend, "Built", kind)
    failed = [result for result in check(CASE, numpy_backend) if not result.passed]
    return {level: "; ".join(r.message for r in failed if r.level == level) for level in {r.level for r in failed}}


@pytest.mark.parametrize(
    ("wrong", "level", "sentence"),
    [
        (Writes, "use", "`forward` writes into its input"),
        (WritesInTraining, "use", "`gradients` writes into its input"),
        (Doubles, "use", "`forward` returns output in float64, not in float32"),
        (DoublesGradients, "use", "`gradients` returns conv.weight in float64, not in float32"),
        (DoublesArrays, "use", "`params` returns conv.weight in float64, not in float32"),
        (Compiled, "use", "with other arrays: greatest abs difference"),
        (Folded, "use", "evaluated after training: greatest abs difference"),
        (StaysInEvaluation, "forward_train", "of output: greatest abs difference"),
        (StaysAfterTraining, "use", "trained after evaluation: greatest abs difference"),
        (SkipsZeros, "forward", "on photograph: greatest abs difference"),
    ],
)
def test_what_only_use_shows_fails(
    wrong: type[Built], level: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = failures(wrong, monkeypatch)
    assert sentence in found[level]
    assert set(found) <= {level, "buffers"}
    if level == "use":
        assert found[level].endswith(("; built anew, the block agrees in every layer", "; at `conv`"))


class Undropped(Dropping):
    def factor(self, rate: float, shape: tuple[int, ...]) -> np.ndarray:
        return np.ones(shape)


class Kept(Dropping):
    """The share that is kept, for the share that is dropped."""

    def factor(self, rate: float, shape: tuple[int, ...]) -> np.ndarray:
        return super().factor(1 - rate, shape) * rate / (1 - rate)


class Unscaled(Dropping):
    def factor(self, rate: float, shape: tuple[int, ...]) -> np.ndarray:
        return super().factor(rate, shape) * (1 - rate)


class Seeded(Dropping):
    """One mask for ever."""

    def factor(self, rate: float, shape: tuple[int, ...]) -> np.ndarray:
        return (np.random.default_rng(0).random(shape) >= rate) / (1 - rate)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (Undropped, "8 calls in training give the same output, so nothing is dropped at random"),
        (Kept, " values are 0 in training; at rate 0.2 it should be "),
        (Unscaled, "what is not dropped is multiplied by 1; at rate 0.2 it should be by 1.25"),
        (Seeded, "8 calls in training give the same output"),
    ],
)
def test_wrong_dropout_fails_at_its_layer(
    wrong: type[Dropping], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Built, "dropping", wrong)
    (failed,) = [result for result in check(dropping(0.2), numpy_backend) if not result.passed]
    assert (failed.level, failed.layer) == ("use", "dropout")
    assert sentence in failed.message


@pytest.mark.parametrize("rate", [0.001, 0.2, 0.9])
def test_right_dropout_passes_at_any_rate(rate: float) -> None:
    assert not [result.message for result in check(dropping(rate), numpy_backend) if not result.passed]


def dropping(rate: float) -> Case:
    return Case("rate", changed("dropout", rate=rate)(HEAD.spec), HEAD.input_shape)


def test_the_middle_of_a_photograph_is_zero() -> None:
    for shape in ((1, 3, 1, 1), (2, 4, 3, 5), (2, 3, 9, 12)):
        x = inputs.make("photograph", shape)
        assert 0 < (x == 0).mean() < 0.5 or shape[2:] == (1, 1)
        assert np.abs(x[..., 0, :]).min() > 0


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("torch", "paddle")])
def test_a_block_that_works_in_place_on_its_input_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = frameworks.load(name)
    blocks = importlib.import_module(f"frameworks.{name}.blocks").BLOCKS
    usual = blocks["conv_bn_act"]

    def in_place(block: Any, x: Any) -> Any:
        y = usual.forward(block, x)
        x.zero_()
        return y

    monkeypatch.setitem(blocks, "conv_bn_act", type("InPlace", (usual,), {"forward": in_place}))
    found = {result.level: result.message for result in check(CASE, backend) if not result.passed}
    assert "`forward` writes into its input; `forward_train` writes into its input" in found["use"]
