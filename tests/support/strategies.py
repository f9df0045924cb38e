"""Hypothesis strategies for correct specs over the whole vocabulary and for the named blocks, sizes bounded.

They leave out what no check could judge, because the answer depends on a single rounding or on a convention at one
point: LeakyReLU on values that may be exactly zero (a point of known_differences.toml); norms over fewer than `PIXELS`
values a channel; and padding so wide that a window has nothing else in it: equal numbers round alike, not at random.
"""

from hypothesis import strategies as st

from common.layers import (
    GELU,
    Add,
    AvgPool2d,
    BatchNorm2d,
    ChannelShuffle,
    ChannelSlice,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    Layer,
    LayerNorm2d,
    LayerScale,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Multiply,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
)
from common.layers.values import Shape
from common.spec import INPUT, BlockSpec, Node

SMALL = st.integers(1, 3)
PIXELS = 12
CHANNELS = 4  # of a pixel: with fewer, their norm is not drawn


@st.composite
def convs(draw: st.DrawFn, shape: Shape) -> Conv2d:
    """A convolution that can read the shape; depthwise more often than the other groups."""
    _, channels, height, width = shape
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0] + [channels]))
    kernel = (draw(st.integers(1, min(4, height))), draw(st.integers(1, min(4, width))))
    spans = [size >= 2 * k - 1 for size, k in zip((height, width), kernel, strict=True)]
    dilation = (draw(st.integers(1, 1 + spans[0])), draw(st.integers(1, 1 + spans[1])))
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    sides = [st.integers(0, min(2, d * (k - 1))) for d, k in zip(dilation, kernel, strict=True)]
    padding = ((draw(sides[0]), draw(sides[0])), (draw(sides[1]), draw(sides[1])))
    return Conv2d(channels, groups * draw(SMALL), kernel, stride, padding, dilation, groups, draw(st.booleans()))


@st.composite
def maps(draw: st.DrawFn, shape: Shape, zeros: bool) -> Layer:
    """A layer that can read one map of this shape; ``zeros`` says whether its values may be exactly zero."""
    n, channels, height, width = shape
    kinds = ["conv", "conv", "relu", "smooth", "hard", "pool", "max", "slice", "shuffle", "scale", "dropout"]
    kinds += [] if zeros else ["leaky"]
    kinds += ["norm", "norm"] if n * height * width >= PIXELS else []
    kinds += ["layer norm"] if channels >= CHANNELS else []
    groups = [g for g in range(1, channels + 1) if channels % g == 0]
    runs = [g for g in groups if channels // g * height * width >= PIXELS]
    kinds += ["group norm"] if runs else []
    match draw(st.sampled_from(kinds)):
        case "conv":
            return draw(convs(shape))
        case "norm":
            eps, momentum = draw(st.sampled_from([1e-5, 1e-3])), draw(st.sampled_from([0.01, 0.1, 0.3]))
            return BatchNorm2d(channels, eps, momentum, draw(st.booleans()))
        case "leaky":
            return LeakyReLU(draw(st.sampled_from([0.01, 0.1, 0.3])))
        case "layer norm":
            return LayerNorm2d(channels, draw(st.sampled_from([1e-6, 1e-5, 1e-3])), draw(st.booleans()))
        case "group norm":
            return GroupNorm(channels, 1e-5, draw(st.booleans()), draw(st.sampled_from(runs)))
        case "scale":
            return LayerScale(channels)
        case "relu":
            return draw(st.sampled_from([ReLU(), ReLU6()]))
        case "smooth":
            return draw(st.sampled_from([Sigmoid(), SiLU(), GELU(), GELU("tanh")]))
        case "hard":
            return draw(st.sampled_from([Hardswish(), Hardsigmoid()]))
        case "shuffle":
            return ChannelShuffle(draw(st.sampled_from(groups)))
        case "pool" | "max" as kind:
            window = (draw(st.integers(1, min(3, height))), draw(st.integers(1, min(3, width))))
            padding = (draw(st.integers(0, window[0] // 2)), draw(st.integers(0, window[1] // 2)))
            sizes = (window, (draw(SMALL), draw(SMALL)), padding)
            return MaxPool2d(*sizes) if kind == "max" else AvgPool2d(*sizes, draw(st.booleans()))
        case "slice":
            start = draw(st.integers(0, channels - 1))
            return ChannelSlice(start, draw(st.integers(start + 1, channels)))
        case _:
            return Dropout(0.0)


def _may_be_zero(layer: Layer, zeros: bool) -> bool:
    """Whether an output of the layer may be exactly zero; ``zeros`` says whether an input may be."""
    match layer:
        case Conv2d():
            return zeros and not layer.bias
        case BatchNorm2d() | GroupNorm() | LayerNorm2d():
            return zeros and not layer.affine
        case ReLU() | ReLU6() | Hardswish() | Hardsigmoid():
            return True
        case Sigmoid():
            return False
        case _:
            return zeros


@st.composite
def specs(draw: st.DrawFn) -> tuple[BlockSpec, Shape]:
    """A graph of up to eight layers, with joins, and maybe a head; and an input shape that it can take."""
    shape: Shape = (
        draw(st.integers(2, 3)),
        draw(st.integers(1, 6)),
        draw(st.integers(7, 10)),
        draw(st.integers(8, 11)),
    )
    first = draw(convs(shape))
    nodes, shapes = [Node("stem.conv", first)], {INPUT: shape, "stem.conv": first.output_shape(shape)}
    zeros = {INPUT: False, "stem.conv": _may_be_zero(first, False)}
    for number in range(draw(st.integers(0, 7))):
        last = nodes[-1].name
        match draw(st.integers(0, 5)):
            case 0:
                partner = draw(st.sampled_from([name for name, other in shapes.items() if other == shapes[last]]))
                join = draw(st.sampled_from([Add(), Concat(), Multiply()]))
                added = [Node(f"blocks.{number}.join", join, (last, partner))]
            case 1:
                gate = Node(f"blocks.{number}.gate", draw(st.sampled_from([Sigmoid(), Hardsigmoid()])))
                gated = Node(f"blocks.{number}.gated", Multiply(), (last, gate.name))
                added = [Node(f"blocks.{number}.squeeze", GlobalAvgPool2d()), gate, gated]
            case _:
                added = [Node(f"blocks.{number}.layer", draw(maps(shapes[last], zeros[last])))]
        for node in added:
            read = node.inputs or (nodes[-1].name,)
            nodes.append(Node(node.name, node.layer, read))
            shapes[node.name] = node.layer.output_shape(*(shapes[name] for name in read))
            zeros[node.name] = _may_be_zero(node.layer, any(zeros[name] for name in read))
    if draw(st.booleans()):
        head = [Node("head.pool", GlobalAvgPool2d())] if draw(st.booleans()) else []
        _, channels, height, width = shapes[nodes[-1].name]
        features = channels if head else channels * height * width
        linear = Linear(features, draw(st.integers(2, 5)), draw(st.booleans()))
        nodes += [*head, Node("head.flatten", Flatten()), Node("head.linear", linear), Node("head.softmax", Softmax())]
    return BlockSpec("random", {}, shape[1], tuple(nodes)), shape
