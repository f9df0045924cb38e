"""Cases at which the tuned variants have branches of their own, which the blocks' own cases do not reach.

They are judged with the blocks' cases when a tuned variant is checked. tests/test_tuned_reach.py computes from the
cases what each framework's forms see, and fails if a branch is unreached.
"""

from common.layers import Add, BatchNorm2d, Conv2d, GroupNorm, LeakyReLU, ReLU
from common.spec import BlockSpec, Node
from common.spec.blocks.convolutions import depthwise_conv, grouped_conv, pointwise_conv, standard_conv
from common.spec.entry import Case

# A norm before the convolution, which two layers read; norms with nothing to train; both activations.
GRAPH = BlockSpec(
    "graph",
    {},
    3,
    (
        Node("first", BatchNorm2d(3)),
        Node("conv", Conv2d(3, 6, (3, 2))),
        Node("norm", BatchNorm2d(6, affine=False)),
        Node("sum", Add(), ("norm", "conv")),
        Node("relu", ReLU()),
        Node("group", GroupNorm(6, 1e-2, affine=False, num_groups=2)),
        Node("act", LeakyReLU(0.2)),
    ),
)

# Padding of more than a kernel's reach makes the gradient by the input take pixels off: a negative padding.
CASES = (
    Case("one_pixel_padded", standard_conv(9, 8, 1, (2, 3), ((1, 0), (0, 2))), (2, 9, 7, 10)),
    Case("many_channels_s23", pointwise_conv(9, 11, (2, 3)), (2, 9, 5, 7)),
    Case("wide_s2_d2", depthwise_conv(3, 3, (1, 2), ((2, 3), (3, 0)), (1, 2)), (2, 3, 6, 38)),
    Case("wide_k25", depthwise_conv(2, (2, 5), (2, 1), ((0, 1), (2, 5))), (2, 2, 7, 20)),
    Case("m3_unequal", depthwise_conv(2, (3, 2), (1, 2), ((1, 0), (2, 4)), (2, 3), 3), (2, 2, 8, 11)),
    Case("many_a_group", grouped_conv(32, 34, 2, (2, 4), (2, 1), ((3, 1), (0, 3)), (2, 3)), (2, 32, 6, 9)),
    Case("many_groups", grouped_conv(12, 18, 6, (2, 3), (1, 2), ((2, 0), (1, 4)), (2, 1)), (2, 12, 5, 8)),
    Case("read_twice", GRAPH, (2, 3, 7, 9)),
)
