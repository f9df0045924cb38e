"""RepVGG and its block, in the form that is trained and in the form that is deployed, and the fold between them."""

import re

import numpy as np

from common.layers import Add, BatchNorm2d, Conv2d, Flatten, GlobalAvgPool2d, Linear, ReLU
from common.layers.values import Depths, Pair
from common.spec import INPUT, Node, chain, family
from common.spec.blocks.residual import HE, conv_norm
from common.spec.entry import Case, Counts, Entry, sized
from common.spec.params import Arrays

EPS = 1e-5


def block(prefix: str, source: str, in_channels: int, out_channels: int, stride: Pair, deployed: bool) -> list[Node]:
    """The nodes of a `repvgg_block`, whose names start with ``prefix``, after the node ``source``."""
    act = Node(f"{prefix}act", ReLU())
    if deployed:
        conv = Conv2d(in_channels, out_channels, (3, 3), stride, ((1, 1), (1, 1)), init=HE)
        return [Node(f"{prefix}conv", conv, (source,)), act]
    nodes = [
        *conv_norm(f"{prefix}dense", in_channels, out_channels, (3, 3), stride, source=source, eps=EPS),
        *conv_norm(f"{prefix}pointwise", in_channels, out_channels, stride=stride, source=source, eps=EPS),
    ]
    branches = [f"{prefix}dense.norm", f"{prefix}pointwise.norm"]
    if stride == (1, 1) and in_channels == out_channels:
        nodes.append(Node(f"{prefix}identity", BatchNorm2d(out_channels, EPS), (source,)))
        branches.append(f"{prefix}identity")
    return [*nodes, Node(f"{prefix}add", Add(), tuple(branches)), act]


@family
def repvgg_block(in_channels: int, out_channels: int, stride: Pair = (1, 1), deployed: bool = False) -> list[Node]:
    """3 x 3 and 1 x 1 convolutions with norms, and a norm alone where the shapes are equal, summed; then ReLU.

    Ding et al., 2021, https://arxiv.org/abs/2101.03697. If ``deployed``, one 3 x 3 convolution with a bias, which
    computes the same in evaluation: `folded` has its arrays.
    """
    return block("", INPUT, in_channels, out_channels, stride, deployed)


@family
def repvgg(
    in_channels: int = 3,
    classes: int = 1000,
    depths: Depths = (2, 4, 14, 1),
    width: int = 48,
    features: int = 1280,
    deployed: bool = False,
) -> list[Node]:
    """RepVGG (Ding et al., 2021, https://arxiv.org/abs/2101.03697): A0 with the defaults, and logits as output.

    A stage doubles the channels, which start from ``width``; the last has ``features``, and the stem has as many as the
    first stage, but at most 64. The stem and the first block of a stage halve the map.
    """
    channels, number = min(64, width), 0
    nodes = block("stem.", INPUT, in_channels, channels, (2, 2), deployed)
    for stage, depth in enumerate(depths, 1):
        out = features if stage == len(depths) else width * 2 ** (stage - 1)
        for first in [True] + [False] * (depth - 1):
            stride = (2, 2) if first else (1, 1)
            nodes += block(f"blocks.{number}.", nodes[-1].name, channels, out, stride, deployed)
            channels, number = out, number + 1
    head = ("pool", GlobalAvgPool2d()), ("flatten", Flatten()), ("linear", Linear(channels, classes))
    return [*nodes, *chain("head", *head)]


def folded(arrays: Arrays) -> Arrays:
    """The arrays of the deployed form from those of the trained one: of a block, or of a whole network.

    In evaluation a norm is a factor and a shift of each channel, which go into the kernel before it, ``[out, in, h,
    w]``; a 1 x 1 kernel is the middle of a 3 x 3 one, and the identity is a 1 x 1 kernel.
    """
    deployed: Arrays = {}
    for name, array in arrays.items():
        if match := re.fullmatch(r"(.*\b|)dense\.conv\.weight", name):
            deployed |= _one(match[1], arrays)
        elif not re.search(r"\b(dense\.|pointwise\.|identity\.)", name):
            deployed[name] = array
    return deployed


def _one(prefix: str, arrays: Arrays) -> Arrays:
    middle = np.zeros((3, 3))
    middle[1, 1] = 1
    kernels = {
        "dense.norm": arrays[f"{prefix}dense.conv.weight"],
        "pointwise.norm": arrays[f"{prefix}pointwise.conv.weight"] * middle,
    }
    if f"{prefix}identity.weight" in arrays:
        kernels["identity"] = np.eye(len(kernels["dense.norm"]))[:, :, None, None] * middle
    weight, bias = 0.0, 0.0
    for norm, kernel in kernels.items():
        held = {local: arrays[f"{prefix}{norm}.{local}"] for local in ("weight", "bias", "running_mean", "running_var")}
        factor = held["weight"] / np.sqrt(held["running_var"] + EPS)
        weight = weight + kernel * factor[:, None, None, None]
        bias = bias + held["bias"] - held["running_mean"] * factor
    return {f"{prefix}conv.weight": np.asarray(weight), f"{prefix}conv.bias": np.asarray(bias)}


SOURCE = "Ding et al., 2021: RepVGG: Making VGG-style ConvNets Great Again, arXiv:2101.03697"
_LARGE = (1, 3, 224, 224)
ENTRIES = (
    Entry(
        repvgg_block,
        SOURCE,
        cases=(
            Case("deployed", repvgg_block(5, 8, (2, 1), deployed=True), (4, 5, 11, 8)),
            Case("unequal", repvgg_block(5, 8, (2, 1)), (4, 5, 11, 8), seed=1),
            Case("identity", repvgg_block(6, 6), (2, 6, 9, 12), seed=1),
        ),
        timed={
            "quick": (
                sized("c96", repvgg_block(96, 96), (1, 96, 28, 28)),
                sized("c96_deployed", repvgg_block(96, 96, deployed=True), (1, 96, 28, 28)),
            )
        },
    ),
    Entry(
        repvgg,
        SOURCE,
        cases=(
            Case("deployed", repvgg(2, 5, (1, 2), 4, 6, deployed=True), (4, 2, 40, 24)),
            Case("narrow", repvgg(2, 5, (1, 2), 4, 6), (4, 2, 40, 24)),
        ),
        timed={"full": (sized("a0", repvgg(), _LARGE), sized("a0_deployed", repvgg(deployed=True), _LARGE))},
        # Computed from timm's repvgg_a0 by FlopCounterMode / 2.
        published={sized("a0", repvgg(), _LARGE): Counts((1, 1000), 9_108_968, 23_648, 1_512_581_120)},
    ),
)
