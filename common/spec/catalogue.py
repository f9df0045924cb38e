"""Every named block, where it comes from, and the cases it is checked and timed on."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from common.layers.values import Shape
from common.names import known
from common.spec import BlockSpec
from common.spec.blocks.convolutions import depthwise_conv, grouped_conv, pointwise_conv, standard_conv
from common.spec.blocks.ghost import ghost_module
from common.spec.blocks.mobilenet import mobilenet_v1
from common.spec.blocks.separable import conv_bn_act, depthwise_separable
from common.spec.blocks.stacks import conv_stack, separable_stack

TRAINED = 700_000  # elements of all activations together


@dataclass(frozen=True)
class Case:
    """One block at one setting on one input shape ``(n, c, h, w)``."""

    name: str
    spec: BlockSpec
    input_shape: Shape
    dtype: str = "float32"
    seed: int = 0

    @property
    def id(self) -> str:
        return f"{self.spec.family}-{self.name}"

    @property
    def trained(self) -> bool:
        """Whether training is compared too: not on large maps, where the reference would take minutes."""
        return sum(map(math.prod, self.spec.shapes(self.input_shape).values())) <= TRAINED

    def cast(self, dtype: str) -> "Case":
        """The same case in another dtype."""
        return replace(self, dtype=dtype)


@dataclass(frozen=True)
class Entry:
    """A block of the catalogue with its source."""

    make: Callable[..., BlockSpec]
    source: str


CATALOGUE = {
    "standard_conv": Entry(
        standard_conv, "LeCun et al., 1989: Backpropagation Applied to Handwritten Zip Code Recognition"
    ),
    "grouped_conv": Entry(grouped_conv, "Krizhevsky et al., 2012: ImageNet Classification with Deep CNNs"),
    "depthwise_conv": Entry(depthwise_conv, "Chollet, 2017: Xception, arXiv:1610.02357"),
    "pointwise_conv": Entry(pointwise_conv, "Lin et al., 2013: Network in Network, arXiv:1312.4400"),
    "conv_bn_act": Entry(conv_bn_act, "Ioffe and Szegedy, 2015: Batch Normalization, arXiv:1502.03167"),
    "depthwise_separable": Entry(depthwise_separable, "Howard et al., 2017: MobileNets, arXiv:1704.04861"),
    "conv_stack": Entry(conv_stack, "the standard twin of `separable_stack`"),
    "separable_stack": Entry(separable_stack, "Chollet, 2017: Xception, arXiv:1610.02357 (no activation between)"),
    "mobilenet_v1": Entry(mobilenet_v1, "Howard et al., 2017: MobileNets, arXiv:1704.04861"),
    "ghost_module": Entry(ghost_module, "Han et al., 2020: GhostNet, arXiv:1911.11907"),
}

# One layer after the other, so that every framework with layers of its own has the whole block.
PLAIN = ("standard_conv", "grouped_conv", "depthwise_conv", "pointwise_conv", "conv_bn_act")


def names() -> tuple[str, ...]:
    """The blocks' names."""
    return tuple(CATALOGUE)


def block(name: str, **options: Any) -> BlockSpec:
    """The spec of a named block with the given hyper-parameters.

    Raises:
        UnknownName: for a name that is not in the catalogue.
        SpecError: for an option that does not exist or a value that cannot be.
    """
    return CATALOGUE[known("block", name, CATALOGUE)].make(**options)


# Sizes are odd, even and not square, channels in and out differ, and the batch is more than one wherever the source
# does not fix it: a port that swaps height and width, or in and out, must not pass by luck.
_MAP = {"in_channels": 6, "out_channels": 10, "kernel_size": 2, "bias": False}
_CHECKED: dict[str, list[tuple[str, Shape, dict[str, Any]]]] = {
    "standard_conv": [
        ("k2", (1, 6, 4, 4), _MAP),
        ("k3", (2, 6, 9, 12), {"in_channels": 6, "out_channels": 10, "padding": 1}),
        ("s2", (2, 5, 13, 10), {"in_channels": 5, "out_channels": 8, "stride": 2, "padding": 1}),
        ("d2", (2, 3, 11, 14), {"in_channels": 3, "out_channels": 7, "dilation": 2, "padding": 2}),
        ("k4_same", (2, 3, 8, 7), {"in_channels": 3, "out_channels": 4, "kernel_size": 4, "padding": "same"}),
        ("s2_sides", (2, 3, 12, 9), {"in_channels": 3, "out_channels": 5, "stride": 2, "padding": ((0, 1), (1, 0))}),
        (
            "k35_s21_d12",
            (2, 4, 10, 15),
            {
                "in_channels": 4,
                "out_channels": 6,
                "kernel_size": (3, 5),
                "stride": (2, 1),
                "padding": (1, 2),
                "dilation": (1, 2),
            },
        ),
    ],
    "grouped_conv": [
        ("k2_g2", (1, 6, 4, 4), {**_MAP, "groups": 2}),
        ("g3", (2, 6, 9, 12), {"in_channels": 6, "out_channels": 12, "groups": 3, "padding": 1}),
        ("g4_s2", (2, 8, 13, 10), {"in_channels": 8, "out_channels": 12, "groups": 4, "stride": 2, "padding": 1}),
        (
            "g2_d2",
            (2, 4, 11, 14),
            {"in_channels": 4, "out_channels": 6, "groups": 2, "dilation": 2, "padding": 2, "bias": False},
        ),
        (
            "g2_k4",
            (2, 4, 9, 8),
            {"in_channels": 4, "out_channels": 6, "groups": 2, "kernel_size": 4, "padding": "same"},
        ),
    ],
    "depthwise_conv": [
        ("k2", (1, 6, 4, 4), {"channels": 6, "kernel_size": 2, "padding": 0, "bias": False}),
        ("k3", (2, 5, 9, 12), {"channels": 5}),
        ("s2", (2, 6, 13, 10), {"channels": 6, "stride": 2}),
        ("d2", (2, 4, 11, 14), {"channels": 4, "dilation": 2, "padding": 2, "bias": False}),
        ("k4_s2_rule", (2, 4, 9, 12), {"channels": 4, "kernel_size": 4, "stride": 2, "padding": "kernel_minus_stride"}),
        ("k2_rule", (1, 3, 4, 4), {"channels": 3, "kernel_size": 2, "padding": "kernel_minus_stride"}),
        ("m2", (2, 3, 8, 11), {"channels": 3, "multiplier": 2}),
        (
            "k37_s2_sides",
            (2, 3, 12, 15),
            {"channels": 3, "kernel_size": (3, 7), "stride": 2, "padding": ((0, 1), (2, 3))},
        ),
    ],
    "pointwise_conv": [
        ("on_3x3", (1, 6, 3, 3), {"in_channels": 6, "out_channels": 10, "bias": False}),
        ("bias", (2, 5, 7, 10), {"in_channels": 5, "out_channels": 3}),
        ("s2", (2, 4, 9, 12), {"in_channels": 4, "out_channels": 7, "stride": 2}),
        ("wide", (2, 64, 5, 8), {"in_channels": 64, "out_channels": 48}),
    ],
    "conv_bn_act": [
        ("k3", (2, 6, 9, 12), {"in_channels": 6, "out_channels": 10}),
        ("s2_bias", (3, 3, 13, 10), {"in_channels": 3, "out_channels": 8, "stride": 2, "bias": True}),
        ("affine_off", (2, 3, 8, 11), {"in_channels": 3, "out_channels": 5, "affine": False}),
        ("g2_d2", (2, 4, 11, 14), {"in_channels": 4, "out_channels": 6, "groups": 2, "dilation": 2, "padding": 2}),
        (
            "eps_momentum",
            (2, 4, 7, 10),
            {"in_channels": 4, "out_channels": 5, "eps": 1e-3, "momentum": 0.03, "negative_slope": 0.2},
        ),
        (
            "k2_relu",
            (2, 4, 9, 8),
            {"in_channels": 4, "out_channels": 6, "kernel_size": 2, "padding": 0, "negative_slope": 0.0},
        ),
    ],
    "depthwise_separable": [
        ("c3_64", (1, 3, 96, 80), {"in_channels": 3, "out_channels": 64}),
        ("k3", (2, 6, 9, 12), {"in_channels": 6, "out_channels": 10}),
        ("s2", (2, 5, 13, 10), {"in_channels": 5, "out_channels": 8, "stride": 2}),
        (
            "d2_no_bias",
            (2, 4, 11, 14),
            {"in_channels": 4, "out_channels": 7, "dilation": 2, "padding": 2, "bias": False},
        ),
        ("k4_same", (2, 3, 8, 7), {"in_channels": 3, "out_channels": 5, "kernel_size": 4, "padding": "same"}),
        (
            "k5_affine_off",
            (2, 4, 10, 13),
            {"in_channels": 4, "out_channels": 6, "kernel_size": 5, "padding": 2, "affine": False},
        ),
        ("s2_sides", (2, 3, 12, 9), {"in_channels": 3, "out_channels": 5, "stride": 2, "padding": ((0, 1), (1, 0))}),
    ],
    "conv_stack": [
        ("c3", (1, 3, 12, 20), {"in_channels": 3}),
        ("small", (2, 3, 11, 14), {"in_channels": 3, "width": 12, "depth": 4}),
        ("affine_off", (2, 5, 9, 12), {"in_channels": 5, "width": 8, "depth": 3, "affine": False}),
        ("slope", (2, 3, 8, 11), {"in_channels": 3, "width": 6, "depth": 2, "negative_slope": 0.3}),
    ],
    "separable_stack": [
        ("c3", (1, 3, 12, 20), {"in_channels": 3}),
        ("small", (2, 3, 11, 14), {"in_channels": 3, "width": 12, "depth": 4}),
        ("affine_off", (2, 5, 9, 12), {"in_channels": 5, "width": 8, "depth": 3, "affine": False}),
        ("slope", (2, 3, 8, 11), {"in_channels": 3, "width": 6, "depth": 2, "negative_slope": 0.3}),
    ],
    "mobilenet_v1": [
        ("a050", (1, 3, 224, 224), {"classes": 10, "alpha": 0.5}),
        ("a025", (2, 3, 64, 96), {"classes": 10, "alpha": 0.25, "pool_size": (2, 3)}),
        ("a075_no_bias", (2, 3, 96, 64), {"classes": 12, "alpha": 0.75, "bias": False, "pool_size": (3, 2)}),
        ("a100", (1, 3, 65, 91), {"pool_size": 3}),
        ("c1", (5, 1, 96, 32), {"in_channels": 1, "classes": 7, "alpha": 0.125, "pool_size": (3, 1)}),
        (
            "logits",
            (2, 2, 96, 64),
            {"in_channels": 2, "classes": 9, "alpha": 0.25, "softmax": False, "pool_size": (3, 2)},
        ),
    ],
    "ghost_module": [
        ("r2", (2, 6, 9, 12), {"in_channels": 6, "out_channels": 10}),
        ("odd_out", (2, 5, 8, 11), {"in_channels": 5, "out_channels": 9}),
        ("r3", (2, 6, 9, 12), {"in_channels": 6, "out_channels": 11, "ratio": 3}),
        ("no_relu", (2, 4, 7, 10), {"in_channels": 4, "out_channels": 8, "relu": False}),
        ("s2", (2, 4, 13, 10), {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 2}),
        ("dw5", (2, 4, 11, 8), {"in_channels": 4, "out_channels": 6, "cheap_kernel_size": 5}),
    ],
}

# What is timed: sizes that networks use, up to those at which the sources compare separable with standard.
_BODY = {"in_channels": 128, "out_channels": 128, "padding": 1, "bias": False}
_TIMED: dict[str, list[tuple[str, str, Shape, dict[str, Any]]]] = {
    "quick": [
        ("standard_conv", "c128", (1, 128, 56, 56), _BODY),
        ("grouped_conv", "c128_g4", (1, 128, 56, 56), {**_BODY, "groups": 4}),
        ("depthwise_conv", "c128", (1, 128, 56, 56), {"channels": 128, "bias": False}),
        ("pointwise_conv", "c128", (1, 128, 56, 56), {"in_channels": 128, "out_channels": 128, "bias": False}),
        ("conv_bn_act", "c128", (1, 128, 56, 56), {"in_channels": 128, "out_channels": 128}),
        ("depthwise_separable", "c3_64", (1, 3, 224, 224), {"in_channels": 3, "out_channels": 64}),
        ("conv_stack", "c3", (1, 3, 48, 48), {"in_channels": 3}),
        ("separable_stack", "c3", (1, 3, 48, 48), {"in_channels": 3}),
        ("mobilenet_v1", "a050", (1, 3, 224, 224), {"classes": 10, "alpha": 0.5}),
        ("ghost_module", "c128", (1, 128, 56, 56), {"in_channels": 128, "out_channels": 128}),
    ],
    "full": [
        ("conv_stack", "c3", (1, 3, 256, 256), {"in_channels": 3}),
        ("separable_stack", "c3", (1, 3, 256, 256), {"in_channels": 3}),
        ("mobilenet_v1", "a100", (1, 3, 224, 224), {}),
    ],
}
PROFILES = ("quick", "full")

# The settings whose counts the sources publish: what the suite computes can be held against them.
_PUBLISHED: list[tuple[str, str, Shape, dict[str, Any]]] = [
    ("standard_conv", "k2", (1, 6, 4, 4), _MAP),
    ("grouped_conv", "k2_g2", (1, 6, 4, 4), {**_MAP, "groups": 2}),
    ("depthwise_conv", "k2", (1, 6, 4, 4), {"channels": 6, "kernel_size": 2, "padding": 0, "bias": False}),
    ("pointwise_conv", "on_3x3", (1, 6, 3, 3), {"in_channels": 6, "out_channels": 10, "bias": False}),
    ("depthwise_separable", "c3_64", (1, 3, 224, 224), {"in_channels": 3, "out_channels": 64}),
    ("conv_stack", "c3", (1, 3, 256, 256), {"in_channels": 3}),
    ("separable_stack", "c3", (1, 3, 256, 256), {"in_channels": 3}),
    ("mobilenet_v1", "a050", (1, 3, 224, 224), {"classes": 10, "alpha": 0.5}),
    ("mobilenet_v1", "a100", (1, 3, 224, 224), {}),
    ("mobilenet_v1", "a100_no_bias", (1, 3, 224, 224), {"bias": False}),
    ("ghost_module", "c128", (1, 128, 56, 56), {"in_channels": 128, "out_channels": 128}),
]


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every case that is checked, grouped by block."""
    return tuple(
        Case(name, block(family, **options), shape)
        for family, rows in _CHECKED.items()
        for name, shape, options in rows
    )


def _sized(rows: list[tuple[str, str, Shape, dict[str, Any]]]) -> tuple[Case, ...]:
    return tuple(
        Case(f"{name}-{'x'.join(map(str, shape))}", block(family, **options), shape)
        for family, name, shape, options in rows
    )


@functools.cache
def published_cases() -> tuple[Case, ...]:
    """The settings whose parameter and MAC counts the sources publish; a case's name ends in its input shape."""
    return _sized(_PUBLISHED)


@functools.cache
def timed_cases(profile: str = "quick") -> tuple[Case, ...]:
    """The cases that are timed: `full` are those of `quick` and the larger ones.

    Raises:
        UnknownName: for a profile that does not exist.
    """
    known("profile", profile, PROFILES)
    return _sized(_TIMED["quick"] + (_TIMED["full"] if profile == "full" else []))
