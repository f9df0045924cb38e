"""The counts that the sources publish, to the digit: from the spec, and from what each framework holds."""

import pytest

from common.protocols import Backend
from common.spec import BlockSpec
from common.spec.catalogue import block
from common.spec.costs import cost
from common.spec.params import randomised

SMALL = {"in_channels": 6, "out_channels": 10, "kernel_size": 2, "bias": False}
# spec, input, output, trainable, buffers, MACs
FACTS = [
    pytest.param(block("standard_conv", **SMALL), (1, 6, 4, 4), (1, 10, 3, 3), 240, 0, 2160, id="standard"),
    pytest.param(block("grouped_conv", groups=2, **SMALL), (1, 6, 4, 4), (1, 10, 3, 3), 120, 0, 1080, id="grouped"),
    pytest.param(
        block("depthwise_conv", channels=6, kernel_size=2, padding=0, bias=False),
        (1, 6, 4, 4),
        (1, 6, 3, 3),
        24,
        0,
        216,
        id="depthwise",
    ),
    pytest.param(
        block("pointwise_conv", in_channels=6, out_channels=10, bias=False),
        (1, 6, 3, 3),
        (1, 10, 3, 3),
        60,
        0,
        540,
        id="pointwise",
    ),
    pytest.param(
        block("depthwise_separable", in_channels=3, out_channels=64),
        (1, 3, 224, 224),
        (1, 64, 224, 224),
        420,
        134,
        10_988_544,
        id="depthwise_separable",
    ),
    pytest.param(
        block("separable_stack", in_channels=3),
        (1, 3, 256, 256),
        (1, 128, 256, 256),
        160_795,
        2560,
        10_370_088_960,
        id="separable_stack",
    ),
    pytest.param(
        block("conv_stack", in_channels=3),
        (1, 3, 256, 256),
        (1, 128, 256, 256),
        1_333_120,
        2560,
        87_199_580_160,
        id="conv_stack",
    ),
    pytest.param(
        block("mobilenet_v1", classes=10, alpha=0.5),
        (1, 3, 224, 224),
        (1, 10),
        829_194,
        10_944,
        148_990_208,
        id="mobilenet_v1-a050",
    ),
    pytest.param(
        block("mobilenet_v1"), (1, 3, 224, 224), (1, 1000), 4_242_920, 21_888, 568_740_352, id="mobilenet_v1-a100"
    ),
    pytest.param(
        block("mobilenet_v1", bias=False),
        (1, 3, 224, 224),
        (1, 1000),
        4_231_976,
        21_888,
        568_740_352,
        id="mobilenet_v1-no_bias",
    ),
]


@pytest.mark.parametrize(("spec", "given", "output", "trainable", "buffers", "macs"), FACTS)
def test_from_the_spec(
    spec: BlockSpec, given: tuple[int, ...], output: tuple[int, ...], trainable: int, buffers: int, macs: int
) -> None:
    assert spec.output_shape(given) == output
    found = cost(spec, given)
    assert (found.trainable, found.buffers, found.macs, found.flops) == (trainable, buffers, macs, 2 * macs)


@pytest.mark.parametrize(("spec", "given", "output", "trainable", "buffers", "macs"), FACTS)
def test_from_what_the_framework_holds(
    backend: Backend,
    spec: BlockSpec,
    given: tuple[int, ...],
    output: tuple[int, ...],
    trainable: int,
    buffers: int,
    macs: int,
) -> None:
    built = backend.build(spec, randomised(spec))
    held, trained = built.params(), built.trainable()
    assert sum(array.size for name, array in held.items() if name in trained) == trainable
    assert sum(array.size for name, array in held.items() if name not in trained) == buffers


def test_the_ratio_of_separable_to_standard() -> None:
    standard = cost(block("conv_bn_act", in_channels=32, out_channels=48), (1, 32, 10, 12)).macs
    separable = cost(block("depthwise_separable", in_channels=32, out_channels=48), (1, 32, 10, 12)).macs
    assert separable / standard == pytest.approx(1 / 48 + 1 / 9, rel=1e-12)


def test_bytes_of_a_hand_counted_block() -> None:
    # conv 1x6x4x4 -> 1x10x3x3, 240 weights: reads 96 + 240 numbers and writes 90.
    found = cost(block("standard_conv", **SMALL), (1, 6, 4, 4))
    assert (found.weight_bytes, found.activation_bytes) == (960, 360)
    assert (found.read_bytes, found.write_bytes) == (4 * (96 + 240), 360)
