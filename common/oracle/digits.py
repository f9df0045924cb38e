"""Training on real data: scikit-learn's handwritten digits, a small separable net and its standard twin.

The data is Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", 1998, https://doi.org/10.24432/C50P49, as
scikit-learn ships it: 1,797 images of 8x8 pixels.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from common.layers import Flatten, GlobalAvgPool2d, Linear
from common.oracle.optimisers import SGD
from common.spec import BlockSpec, Node, chain, family
from common.spec.blocks.separable import conv_bn_act, depthwise_separable

TEST_SHARE = 0.25
BATCH = 64
OPTIMISER = SGD(lr=0.02, momentum=0.9, weight_decay=5e-4)
STEM = 16
BLOCKS = ((32, 1), (32, 2), (64, 1))  # output channels and stride
SLOPE = 0.1

Batch = tuple[np.ndarray, np.ndarray]  # x [n, c, h, w] float32, labels [n] int64


@dataclass(frozen=True)
class Digits:
    """Images ``[n, 1, 8, 8]``, float32 in [0, 1] and exact (sixteenths), and labels ``[n]``, int64, 0 to 9."""

    train_x: np.ndarray
    train_labels: np.ndarray
    test_x: np.ndarray
    test_labels: np.ndarray


@functools.cache
def load() -> Digits:
    """The digits in one fixed split that keeps the share of each class; both parts have digits of the same writers."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    x = (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    parts = train_test_split(x, labels.astype(np.int64), test_size=TEST_SHARE, random_state=0, stratify=labels)
    train_x, test_x, train_labels, test_labels = map(np.asarray, parts)
    return Digits(train_x, train_labels, test_x, test_labels)


def batches(digits: Digits, epochs: int, seed: int) -> list[Batch]:
    """Mini-batches of BATCH training images, shuffled anew each epoch; an incomplete last batch is left out."""
    rng = np.random.default_rng(seed)
    count = len(digits.train_x) // BATCH
    orders = [rng.permutation(len(digits.train_x))[: count * BATCH].reshape(count, BATCH) for _ in range(epochs)]
    return [(digits.train_x[rows], digits.train_labels[rows]) for rows in np.concatenate(orders)]


def _net(in_channels: int, classes: int, block: Callable[..., BlockSpec]) -> list[Node]:
    parts = [("stem", conv_bn_act(in_channels, STEM, negative_slope=SLOPE))]
    channels = STEM
    for i, (width, stride) in enumerate(BLOCKS):
        parts.append((f"blocks.{i}", block(channels, width, stride=stride, bias=False, negative_slope=SLOPE)))
        channels = width
    nodes = [node for name, part in parts for node in chain(name, *((n.name, n.layer) for n in part.nodes))]
    head = Node("pool", GlobalAvgPool2d()), Node("flatten", Flatten()), Node("linear", Linear(channels, classes))
    return [*nodes, *head]


@family
def digits_separable(in_channels: int = 1, classes: int = 10) -> list[Node]:
    """A 3x3 convolution, three blocks of `depthwise_separable`, the mean over the map, and a linear layer to logits."""
    return _net(in_channels, classes, depthwise_separable)


@family
def digits_standard(in_channels: int = 1, classes: int = 10) -> list[Node]:
    """The same with each separable block replaced by one of `conv_bn_act`, of equal kernel, stride and width."""
    return _net(in_channels, classes, conv_bn_act)
