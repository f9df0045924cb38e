"""The counts that the sources publish, to the digit: from the spec, and from each framework's arrays."""

import numpy as np
import pytest

from common.protocols import Backend
from common.spec.catalogue import CATALOGUE, block
from common.spec.costs import cost
from common.spec.entry import Case, Counts

PUBLISHED = [
    pytest.param(case, counts, id=case.id) for entry in CATALOGUE.values() for case, counts in entry.published.items()
]


@pytest.mark.parametrize(("case", "counts"), PUBLISHED)
def test_from_the_spec(case: Case, counts: Counts) -> None:
    assert case.spec.output_shape(case.input_shape) == counts.output_shape
    costs = cost(case.spec, case.input_shape)
    assert (costs.trainable, costs.buffers, costs.macs) == (counts.trainable, counts.buffers, counts.macs)
    assert costs.flops == 2 * counts.macs


@pytest.mark.parametrize(("case", "counts"), PUBLISHED)
def test_from_the_arrays_of_the_framework(backend: Backend, case: Case, counts: Counts) -> None:
    built = backend.build(case.spec, {param.name: np.zeros(param.shape) for param in case.spec.params()})
    trained = built.trainable()
    sizes = {name: array.size for name, array in built.params().items()}
    assert sum(size for name, size in sizes.items() if name in trained) == counts.trainable
    assert sum(size for name, size in sizes.items() if name not in trained) == counts.buffers


def test_the_ratio_of_separable_to_standard() -> None:
    standard = cost(block("conv_bn_act", in_channels=32, out_channels=48), (1, 32, 10, 12)).macs
    separable = cost(block("depthwise_separable", in_channels=32, out_channels=48), (1, 32, 10, 12)).macs
    assert separable / standard == pytest.approx(1 / 48 + 1 / 9, rel=1e-12)


def test_bytes_of_a_hand_counted_block() -> None:
    # conv 1x6x4x4 -> 1x10x3x3, 240 weights: reads 96 + 240 numbers and writes 90.
    costs = cost(block("standard_conv", in_channels=6, out_channels=10, kernel_size=2, bias=False), (1, 6, 4, 4))
    assert (costs.weight_bytes, costs.activation_bytes) == (960, 360)
    assert (costs.read_bytes, costs.write_bytes) == (4 * (96 + 240), 360)
