"""A block's layers as steps, repeated parts folded; and drawn, as text and as SVG, which needs no script or network."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from common.layers import AvgPool2d, BatchNorm2d, ChannelSlice, Conv2d, Dropout, Layer, LeakyReLU, Linear
from common.spec import Node
from common.spec.catalogue import Case
from common.spec.costs import macs
from report.text import shape

FORMULAS = {
    "Conv2d": "y[o,i,j] = b[o] + Σ W[o,c,u,v] · x[c', s·i + d·u - p, s·j + d·v - p]\n"
    "  over c, u, v; c' is channel c of o's group",
    "BatchNorm2d": "y = γ · (x - μ) / √(σ² + ε) + β\n  μ, σ² of the batch in training, running ones in evaluation",
    "ReLU": "y = max(x, 0)",
    "LeakyReLU": "y = x if x > 0, else slope · x",
    "AvgPool2d": "y = mean of each window",
    "GlobalAvgPool2d": "y[c] = mean of x[c]",
    "Flatten": "y[n, (c·H + i)·W + j] = x[n, c, i, j]",
    "Dropout": "evaluation: y = x; training: y = x · mask / (1 - rate)",
    "Linear": "y = W · x + b",
    "Softmax": "y[c] = exp(x[c]) / Σ(k) exp(x[k])",
    "Concat": "y = the channels of all inputs, one after another",
    "ChannelSlice": "y[c] = x[start + c]",
    "Add": "y = the sum of all inputs",
}
COSTS = {
    "Conv2d": "k² · C_in · C_out / groups weights; as many MACs for each of the H · W output pixels",
    "Linear": "in · out weights and MACs",
    "BatchNorm2d": "2 trainable values and 2 buffers a channel",
}


@dataclass(frozen=True)
class Step:
    """A layer of a block; ``times`` is how often its part is repeated, with other sizes, after this one."""

    node: Node
    output: tuple[int, ...]
    previous: str
    times: int
    part: str

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def reads(self) -> str:
        """The inputs, where they are not simply the layer before."""
        return "" if self.node.inputs == (self.previous,) else ", ".join(self.node.inputs)

    @property
    def weights(self) -> int:
        return sum(param.size for param in self.node.layer.params() if param.trainable)

    @property
    def macs(self) -> int:
        return macs(self.node.layer, self.output)


def told(layer: Layer) -> str:
    """The layer and the settings that matter."""

    def pair(word: str, value: tuple[int, int], usual: int = 1) -> str:
        return "" if value == (usual, usual) else f"{word} {value[0] if value[0] == value[1] else shape(value)}"

    match layer:
        case Conv2d():
            (top, bottom), (left, right) = layer.padding
            even = top == bottom and left == right
            padding = pair("padding", (top, left), 0) if even else f"padding {layer.padding}"
            details = [
                f"{shape(layer.kernel_size)}, {layer.in_channels} → {layer.out_channels}",
                pair("stride", layer.stride),
                padding,
                pair("dilation", layer.dilation),
                f"groups {layer.groups}" if layer.groups > 1 else "",
                "" if layer.bias else "no bias",
            ]
        case BatchNorm2d():
            details = [f"{layer.num_features}", "" if layer.affine else "no scale and bias"]
        case LeakyReLU():
            details = [f"{layer.negative_slope:g}"]
        case AvgPool2d():
            details = [shape(layer.kernel_size)]
        case Dropout():
            details = [f"{layer.rate:g}"]
        case Linear():
            details = [f"{layer.in_features} → {layer.out_features}"]
        case ChannelSlice():
            details = [f"{layer.start}:{layer.stop}"]
        case _:
            details = []
    return " ".join([type(layer).__name__, ", ".join(detail for detail in details if detail)]).strip()


def _part(name: str) -> str:
    """``blocks.3`` of ``blocks.3.norm``; empty outside a numbered part."""
    found = re.match(r"[^.]+\.\d+(?=\.)", name)
    return found.group() if found else ""


def steps(case: Case) -> list[Step]:
    """The block's layers; of consecutive parts of the same make, the first."""
    shapes, nodes = case.spec.shapes(case.input_shape), case.spec.nodes
    previous = dict(zip((node.name for node in nodes), ["input", *(node.name for node in nodes)], strict=False))
    parts = [(name, list(group)) for name, group in itertools.groupby(nodes, key=lambda node: _part(node.name))]

    def make(name: str, group: list[Node]) -> object:
        return name and [(node.name.removeprefix(name), type(node.layer)) for node in group]

    kept: list[Step] = []
    for built, alike in itertools.groupby(parts, key=lambda item: make(*item)):
        several = list(alike)
        for name, group in several[:1] if built else several:
            kept += [Step(node, shapes[node.name], previous[node.name], len(several), name) for node in group]
    return kept


def _rows(case: Case) -> Iterator[tuple[str, str, str]]:
    yield "input", shape(case.input_shape), ""
    for step in steps(case):
        repeated = f"  x {step.times}" if step.times > 1 else ""
        yield step.name + repeated, told(step.node.layer), f"reads {step.reads}" if step.reads else ""


def text(case: Case) -> str:
    """One line a layer, top to bottom."""
    rows = list(_rows(case))
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"{name:<{width}}  {layer}{f'   ({note})' if note else ''}" for name, layer, note in rows)


WIDTH, BOX, GAP, LEFT = 380, 40, 18, 26


def svg(case: Case) -> str:
    """Boxes from top to bottom; a line at the side for an input that is not the layer before."""
    rows, listed = list(_rows(case)), steps(case)
    middle = {name: i * (BOX + GAP) + 6 + BOX / 2 for i, name in enumerate(["input", *(s.name for s in listed)])}
    height = len(rows) * (BOX + GAP) - GAP + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(case.spec.family)}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for i, (name, layer, _) in enumerate(rows):
        top, step = i * (BOX + GAP) + 6, listed[i - 1] if i else None
        fill = "#e8eaf6" if step and step.node.layer.params() else "#f5f5f5"
        if step and step.previous in step.node.inputs:
            lines.append(_arrow(WIDTH / 2, top - GAP, top))
        for source in step.node.inputs if step else ():
            if step and source != step.previous:
                y, end = middle[source], top + BOX / 2
                lines.append(f'<path d="M{LEFT} {y}H10V{end}H{LEFT}" fill="none" stroke="#555"/>')
        dash = ' stroke-dasharray="4 2"' if step and step.times > 1 else ""
        lines += [
            f'<rect x="{LEFT}" y="{top}" width="{WIDTH - 2 * LEFT}" height="{BOX}" rx="4" fill="{fill}" '
            f'stroke="#555"{dash}/>',
            f'<text x="{WIDTH / 2}" y="{top + 16}" font-size="12" font-weight="bold" text-anchor="middle">'
            f"{escape(name)}</text>",
            f'<text x="{WIDTH / 2}" y="{top + 32}" font-size="11" text-anchor="middle">{escape(layer)}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _arrow(x: float, start: float, end: float) -> str:
    return (
        f'<path d="M{x} {start}V{end - 5}" stroke="#555"/>'
        f'<path d="M{x - 4} {end - 6}L{x} {end}L{x + 4} {end - 6}z" fill="#555"/>'
    )
