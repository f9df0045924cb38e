"""Training on the digits: the data, the oracle's loss, the band, and the backends."""

import numpy as np
import pytest

import frameworks
from common.check import fitting
from common.oracle import digits
from common.oracle.digits import BATCH, OPTIMISER, digits_separable, digits_standard
from common.oracle.fitting import Losses, cross_entropy, fit
from common.oracle.optimisers import SGD, Adam, Optimiser
from common.processes.pool import Worker
from common.protocols import Backend
from common.spec import BlockSpec
from common.spec.costs import cost
from common.spec.params import initial, randomised

STEPS = 3
NETS = (digits_separable(), digits_standard())


def batches(seed: int = 0, steps: int = STEPS) -> list[digits.Batch]:
    return digits.batches(digits.load(), 1, seed)[:steps]


def oracle(net: BlockSpec, optimiser: Optimiser) -> np.ndarray:
    return np.array([loss for loss, *_ in fit(net, initial(net), batches(), optimiser)])


@pytest.fixture(scope="module", params=NETS, ids=lambda spec: spec.family)
def net(request: pytest.FixtureRequest) -> BlockSpec:
    return request.param


@pytest.fixture(scope="module")
def expected(net: BlockSpec) -> Losses:
    return fitting.expected(net, initial(net), batches(), OPTIMISER)


def test_the_split_is_fixed_disjoint_and_stratified() -> None:
    data = digits.load()
    assert data.train_x.shape == (1347, 1, 8, 8)
    assert data.test_x.shape == (450, 1, 8, 8)
    assert data.train_x.dtype == data.test_x.dtype == np.float32
    assert (data.train_x.min(), data.train_x.max()) == (0, 1)
    # The images are all different, so that none can be in both parts.
    assert len({image.tobytes() for image in [*data.train_x, *data.test_x]}) == 1797
    train, test = (np.bincount(labels, minlength=10) for labels in (data.train_labels, data.test_labels))
    assert np.abs(test - (train + test) * digits.TEST_SHARE).max() <= 1
    assert test.tolist() == [45, 46, 44, 46, 45, 46, 45, 45, 43, 45]  # another split would have other counts
    again = digits.load.__wrapped__()
    assert all(np.array_equal(getattr(data, name), getattr(again, name)) for name in vars(data))


def test_batches_are_equal_in_size_seeded_and_of_training_images() -> None:
    data = digits.load()
    shuffled = digits.batches(data, 2, seed=3)
    assert {x.shape for x, _ in shuffled} == {(BATCH, 1, 8, 8)}
    assert len(shuffled) == 2 * (1347 // BATCH)
    labels = {image.tobytes(): label for image, label in zip(data.train_x, data.train_labels, strict=True)}
    epoch = shuffled[: len(shuffled) // 2]
    assert len({image.tobytes() for x, _ in epoch for image in x}) == len(epoch) * BATCH
    assert all(labels[image.tobytes()] == label for x, y in shuffled for image, label in zip(x, y, strict=True))
    same, other = digits.batches(data, 2, seed=3), digits.batches(data, 2, seed=4)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(shuffled, same, strict=True))
    assert not np.array_equal(shuffled[0][0], other[0][0])
    assert not np.array_equal(shuffled[0][0], shuffled[len(epoch)][0])


def test_the_nets_are_twins() -> None:
    separable, standard = (spec.shapes((2, 1, 8, 8)) for spec in NETS)
    assert {name: separable[name] for name in separable if name.startswith(("stem", "pool", "linear"))} == {
        name: standard[name] for name in standard if name.startswith(("stem", "pool", "linear"))
    }
    for i in range(len(digits.BLOCKS)):
        assert separable[f"blocks.{i}.pointwise.act"] == standard[f"blocks.{i}.act"]
    # By hand: stem 9 x 16, blocks k^2 C_in C_out or k^2 C_in + C_in C_out, norms 2 C, linear 64 x 10 + 10.
    norms = 2 * (16 + 32 + 32 + 64)
    assert cost(NETS[1], (1, 1, 8, 8)).trainable == 144 + 9 * (512 + 1024 + 2048) + norms + 650
    depthwise = 9 * (16 + 32 + 32) + 2 * (16 + 32 + 32)
    assert cost(NETS[0], (1, 1, 8, 8)).trainable == 144 + 512 + 1024 + 2048 + depthwise + norms + 650


def test_a_hand_worked_cross_entropy() -> None:
    # Softmax of (0, ln 3) is (1/4, 3/4).
    logits = np.array([[0.0, np.log(3)], [1000.0, 1000.0]])
    losses, gradient = cross_entropy(logits, np.array([0, 1]))
    np.testing.assert_allclose(losses, [np.log(4), np.log(2)])
    np.testing.assert_allclose(gradient, [[-3 / 8, 3 / 8], [1 / 4, -1 / 4]])


def test_the_oracles_gradient_by_central_differences(net: BlockSpec) -> None:
    """The first step of SGD without momentum or decay is lr times the gradient, which a quotient gives too."""
    (x, labels), rng, h, lr = batches()[0], np.random.default_rng(0), 1e-6, 0.1
    params = {name: value.astype(np.float64) for name, value in randomised(net).items()}
    batch = [(x[:6], labels[:6])]

    def loss(name: str, index: tuple[int, ...], step: float) -> float:
        moved = params[name].copy()
        moved[index] += step
        return next(fit(net, params | {name: moved}, batch, SGD()))[0]

    _, _, after = next(fit(net, params, batch, SGD(lr, 0.0, 0.0)))
    for name in [param.name for param in net.params() if param.trainable]:
        index = tuple(int(rng.integers(size)) for size in params[name].shape)
        slope = (loss(name, index, h) - loss(name, index, -h)) / (2 * h)
        assert (params[name][index] - after[name][index]) / lr == pytest.approx(slope, rel=1e-4, abs=1e-8), name


def test_parting_is_the_first_step_beyond_the_band() -> None:
    losses = Losses(np.array([1.0, 1.0, 1.0]), np.array([0.1, 0.2, 0.3]))
    assert losses.parting(np.array([1.1 - 1e-9, 0.81, 1.2, 9.0])) is None
    assert losses.parting(np.array([1.0, 1.3, 1.0])) == 2
    assert losses.parting(np.array([np.nan])) == 1


def test_rounding_grows_in_training(expected: Losses) -> None:
    assert 0 < expected.allowed[0] < 1e-5 < 1e-1 < expected.exact[0]
    assert expected.allowed[-1] > expected.allowed[0] / 4


def test_each_backend_stays_in_the_band(net: BlockSpec, expected: Losses, backend: Backend) -> None:
    built = backend.build(net, initial(net))
    losses = built.fit(batches(), OPTIMISER)
    assert losses.shape == (STEPS,)
    assert expected.parting(losses) is None
    *_, (_, _, state) = fit(net, initial(net), batches(), OPTIMISER)
    params = built.params()
    assert params.keys() == state.keys()
    for name, value in state.items():  # the block keeps what it has learnt, statistics too
        np.testing.assert_allclose(params[name], value, rtol=2e-3, atol=2e-5, err_msg=name)
    built.load(initial(net))
    assert expected.parting(built.fit(batches(), OPTIMISER)) is None  # momentum starts anew
    assert built.forward(digits.load().test_x).shape == (450, 10)


@pytest.fixture(scope="module")
def expected64() -> Losses:
    return fitting.expected(NETS[0], initial(NETS[0]), batches(), OPTIMISER, "float64")


def test_in_float64_each_backend_stays_in_a_band_that_hides_no_fault(backend: Backend, expected64: Losses) -> None:
    net = NETS[0]
    assert expected64.allowed.max() < 1e-12
    no_decay = SGD(OPTIMISER.lr, OPTIMISER.momentum, 0.0)
    # A process of its own: JAX decides once in its life whether it has float64.
    worker = Worker(backend.NAME, frameworks.BACKENDS[backend.NAME][0], threads=1, x64=True)
    try:
        losses, wrong = (
            worker.ask("fit", net, initial(net), batches(), optimiser, batches()[0][0], "float64")[0]
            for optimiser in (OPTIMISER, no_decay)
        )
    finally:
        worker.stop()
    assert expected64.parting(losses) is None
    assert expected64.parting(wrong) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        SGD(1.01 * OPTIMISER.lr, OPTIMISER.momentum, OPTIMISER.weight_decay),
        SGD(OPTIMISER.lr, 0.89, OPTIMISER.weight_decay),
        Adam(OPTIMISER.lr),
    ],
    ids=["learning rate", "momentum", "Adam"],
)
def test_a_wrong_optimiser_leaves_the_band(net: BlockSpec, expected: Losses, wrong: Optimiser) -> None:
    step = expected.parting(oracle(net, wrong))
    assert step is not None
    assert step > 1  # the first loss is taken before any step


def test_a_missing_weight_decay_is_too_small_for_the_band(net: BlockSpec, expected: Losses) -> None:
    """As the report says. It is not too small in float64, or in the checks of arrays after each step."""
    wrong = SGD(OPTIMISER.lr, OPTIMISER.momentum, 0.0)
    assert not np.array_equal(oracle(net, wrong), oracle(net, OPTIMISER))
    assert expected.parting(oracle(net, wrong)) is None


def test_wrong_labels_leave_the_band(net: BlockSpec, expected: Losses) -> None:
    shifted = [(x, (labels + 1) % 10) for x, labels in batches()]
    losses = np.array([loss for loss, *_ in fit(net, initial(net), shifted, OPTIMISER)])
    assert expected.parting(losses) == 1
