"""GhostNet's module."""

import math

from common.layers import BatchNorm2d, ChannelSlice, Concat, Conv2d, Layer, ReLU
from common.layers.values import Padding, Pair, SpecError
from common.spec import INPUT, Node, chain, family
from common.spec.entry import Case, Counts, Entry, sized


def ghost(
    prefix: str,
    source: str,
    in_channels: int,
    out_channels: int,
    kernel_size: Pair = (1, 1),
    cheap_kernel_size: Pair = (3, 3),
    ratio: int = 2,
    stride: Pair = (1, 1),
    relu: bool = True,
) -> list[Node]:
    """The nodes of a `ghost_module`, whose names start with ``prefix``, after the node ``source``."""
    primary = math.ceil(out_channels / ratio)
    cheap = primary * (ratio - 1)
    conv = Conv2d(in_channels, primary, kernel_size, stride, _half(kernel_size), bias=False)
    cheap_conv = Conv2d(primary, cheap, cheap_kernel_size, (1, 1), _half(cheap_kernel_size), groups=primary, bias=False)
    act: list[tuple[str, Layer]] = [("act", ReLU())] if relu else []
    end = "act" if relu else "norm"
    return [
        Node(f"{prefix}primary.conv", conv, (source,)),
        *chain(f"{prefix}primary", ("norm", BatchNorm2d(primary)), *act),
        *chain(f"{prefix}cheap", ("conv", cheap_conv), ("norm", BatchNorm2d(cheap)), *act),
        Node(f"{prefix}concat", Concat(), (f"{prefix}primary.{end}", f"{prefix}cheap.{end}")),
        Node(f"{prefix}slice", ChannelSlice(0, out_channels)),
    ]


@family
def ghost_module(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair = (1, 1),
    cheap_kernel_size: Pair = (3, 3),
    ratio: int = 2,
    stride: Pair = (1, 1),
    relu: bool = True,
) -> list[Node]:
    """A convolution makes 1/ratio of the channels; cheap depthwise kernels make the rest from these.

    Han et al., "GhostNet", 2020, https://arxiv.org/abs/1911.11907. The primary convolution makes ``ceil(out / ratio)``
    maps, the cheap one ``ratio - 1`` from each; both are concatenated, and the first ``out_channels`` are kept.

    Raises:
        SpecError: for even kernels, which have no centre to pad around, or a ``ratio`` below 2.
    """
    if ratio < 2:
        raise SpecError(f"`ratio` (={ratio}) must be at least 2: with 1 the cheap convolution has no maps")
    for name, kernel in (("kernel_size", kernel_size), ("cheap_kernel_size", cheap_kernel_size)):
        if not all(size % 2 for size in kernel):
            raise SpecError(f"`{name}` (={kernel}) must be odd")
    return ghost("", INPUT, in_channels, out_channels, kernel_size, cheap_kernel_size, ratio, stride, relu)


def _half(kernel: Pair) -> Padding:
    height, width = kernel[0] // 2, kernel[1] // 2
    return ((height, height), (width, width))


ENTRIES = (
    Entry(
        ghost_module,
        "Han et al., 2020: GhostNet, arXiv:1911.11907",
        cases=(
            Case("r2", ghost_module(6, 10), (2, 6, 9, 12)),
            Case("odd_out", ghost_module(5, 9), (2, 5, 8, 11)),
            Case("r3", ghost_module(6, 11, ratio=3), (2, 6, 9, 12)),
            Case("no_relu", ghost_module(4, 8, relu=False), (2, 4, 7, 10)),
            Case("unequal", ghost_module(4, 6, (3, 1), (3, 5), stride=(2, 1)), (4, 4, 13, 10)),
            Case("dw5", ghost_module(4, 6, cheap_kernel_size=5), (2, 4, 11, 8)),
        ),
        timed={"quick": (sized("c128", ghost_module(128, 128), (1, 128, 56, 56)),)},
        # By the paper's formula: 128 * 64 + 9 * 64 weights, each used at 56 * 56 pixels; a norm's two values a channel.
        published={
            sized("c128", ghost_module(128, 128), (1, 128, 56, 56)): Counts((1, 128, 56, 56), 9024, 256, 27_496_448)
        },
    ),
)
