"""The oracle against hand-worked vectors, and against scipy on single channels."""

import numpy as np
import pytest
from scipy import signal

from common.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    ChannelSlice,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Softmax,
)

NONE: dict[str, np.ndarray] = {}


def image(*rows: list[float]) -> np.ndarray:
    return np.array(rows, float)[None, None]


def test_a_hand_worked_convolution() -> None:
    # 1 2 3     1 0      1*1 + 5*2 = 11    2*1 + 6*2 = 14
    # 4 5 6  *  0 2  ->  4*1 + 8*2 = 20    5*1 + 9*2 = 23, plus a bias of 0.5; the kernel is not flipped
    # 7 8 9
    kernel = np.array([[[[1.0, 0], [0, 2]]]])
    x = image([1, 2, 3], [4, 5, 6], [7, 8, 9])
    y = Conv2d(1, 1, (2, 2)).forward({"weight": kernel, "bias": np.array([0.5])}, x)
    np.testing.assert_array_equal(y, image([11.5, 14.5], [20.5, 23.5]))


def test_a_hand_worked_stride_and_padding_on_one_side() -> None:
    # A row and a column of zeros at the top and left, then every second window of a kernel of ones.
    kernel = {"weight": np.ones((1, 1, 2, 2))}
    layer = Conv2d(1, 1, (2, 2), stride=(2, 2), padding=((1, 0), (1, 0)), bias=False)
    y = layer.forward(kernel, image([1, 2, 3], [4, 5, 6], [7, 8, 9]))
    np.testing.assert_array_equal(y, image([1, 2 + 3], [4 + 7, 5 + 6 + 8 + 9]))


def test_groups_read_their_own_channels() -> None:
    x = np.array([1.0, 10, 100, 1000]).reshape(1, 4, 1, 1)
    weight = np.array([[1.0, 2], [3, 4], [5, 6], [7, 8]]).reshape(4, 2, 1, 1)
    y = Conv2d(4, 4, (1, 1), groups=2, bias=False).forward({"weight": weight}, x)
    assert y.ravel().tolist() == [21, 43, 6500, 8700]


def test_depthwise_multiplier_order() -> None:
    x = np.array([1.0, 10]).reshape(1, 2, 1, 1)
    weight = np.array([1.0, 2, 3, 4]).reshape(4, 1, 1, 1)
    y = Conv2d(2, 4, (1, 1), groups=2, bias=False).forward({"weight": weight}, x)
    assert y.ravel().tolist() == [1, 2, 30, 40]


@pytest.mark.parametrize(("stride", "dilation", "pad"), [((1, 1), (1, 1), 0), ((2, 3), (1, 1), 1), ((1, 2), (2, 1), 2)])
def test_a_channel_is_what_scipy_correlates(stride: tuple[int, int], dilation: tuple[int, int], pad: int) -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(11, 14)), rng.normal(size=(3, 4))
    spread = np.zeros((dilation[0] * 2 + 1, dilation[1] * 3 + 1))
    spread[:: dilation[0], :: dilation[1]] = kernel
    right = signal.correlate2d(np.pad(x, pad), spread, "valid")[:: stride[0], :: stride[1]]
    layer = Conv2d(1, 1, (3, 4), stride, ((pad, pad), (pad, pad)), dilation, bias=False)
    np.testing.assert_allclose(layer.forward({"weight": kernel[None, None]}, x[None, None])[0, 0], right, atol=1e-13)


def test_a_standard_convolution_sums_what_scipy_correlates() -> None:
    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(2, 3, 6, 9)), rng.normal(size=(4, 3, 3, 2))
    y = Conv2d(3, 4, (3, 2), bias=False).forward({"weight": weight}, x)
    right = [
        [sum(signal.correlate2d(i, k, "valid") for i, k in zip(item, o, strict=True)) for o in weight] for item in x
    ]
    np.testing.assert_allclose(y, right, atol=1e-13)


def test_batch_norm_by_hand() -> None:
    # (x - 1) / sqrt(3.99 + 0.01) * 6 + 0.5 = 3 (x - 1) + 0.5
    params = {"weight": [6.0], "bias": [0.5], "running_mean": [1.0], "running_var": [3.99]}
    arrays = {name: np.array(value) for name, value in params.items()}
    np.testing.assert_allclose(BatchNorm2d(1, eps=0.01).forward(arrays, image([1, 2, -1])), image([0.5, 3.5, -5.5]))
    plain = BatchNorm2d(1, eps=0.01, affine=False).forward(arrays, image([1, 2, -1]))
    np.testing.assert_allclose(plain, image([0, 0.5, -1]))


X = np.array([[[[1.0, -2], [3, -4]], [[5, 6], [7, 8]]]])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (ReLU(), [[[[1, 0], [3, 0]], [[5, 6], [7, 8]]]]),
        (LeakyReLU(0.5), [[[[1, -1], [3, -2]], [[5, 6], [7, 8]]]]),
        (AvgPool2d((2, 2)), [[[[-0.5]], [[6.5]]]]),
        (AvgPool2d((1, 2), stride=(1, 1)), [[[[-0.5], [-0.5]], [[5.5], [7.5]]]]),
        (GlobalAvgPool2d(), [[[[-0.5]], [[6.5]]]]),
        (Flatten(), [[1, -2, 3, -4, 5, 6, 7, 8]]),
        (Dropout(0.5), X),
        (ChannelSlice(1, 2), X[:, 1:]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Layer) else "",
)
def test_layers_by_hand(layer: Layer, expected: object) -> None:
    np.testing.assert_array_equal(layer.forward(NONE, X), expected)


def test_whether_padding_counts_in_a_mean() -> None:
    ones = np.ones((1, 1, 2, 2))
    counted = AvgPool2d((2, 2), (1, 1), (1, 1)).forward(NONE, ones)
    np.testing.assert_array_equal(counted, image([0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]))
    exclusive = AvgPool2d((2, 2), (1, 1), (1, 1), count_include_pad=False).forward(NONE, ones)
    np.testing.assert_array_equal(exclusive, np.ones((1, 1, 3, 3)))


def test_linear_softmax_concat_and_add() -> None:
    x = np.array([[1.0, 2]])
    arrays = {"weight": np.array([[1.0, 10], [0, 1], [2, 0]]), "bias": np.array([0.0, 1, 2])}
    np.testing.assert_array_equal(Linear(2, 3).forward(arrays, x), [[21, 3, 4]])
    np.testing.assert_allclose(Softmax().forward(NONE, np.log([[1.0, 3]])), [[0.25, 0.75]])
    np.testing.assert_allclose(Softmax().forward(NONE, np.array([[1000.0, 1000]])), [[0.5, 0.5]])
    np.testing.assert_array_equal(Concat().forward(NONE, x, 2 * x), [[1, 2, 2, 4]])
    np.testing.assert_array_equal(Add().forward(NONE, x, 2 * x, x), [[4, 8]])


def test_a_layer_without_a_rule_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="Layer states no rule `forward`"):
        Layer().forward(NONE, X)
