"""A block's layers as steps, with repeated parts folded; drawn as text and as SVG, without script or network."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from common.layers import Layer
from common.layers.base import sizes
from common.spec import Node
from common.spec.catalogue import Case


@dataclass(frozen=True)
class Step:
    """A layer of a block; ``times`` is how often its part occurs, with other sizes after the first.

    ``beside`` are the inputs that are not the layer before; for one in a part that is not listed, its twin that is.
    """

    node: Node
    output: tuple[int, ...]
    previous: str
    times: int
    part: str
    beside: tuple[str, ...]

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
        return self.node.layer.macs(self.output)


def described(layer: Layer) -> str:
    """The layer and the settings that matter."""
    return " ".join([type(layer).__name__, ", ".join(filter(None, layer.settings()))]).strip()


def _part(name: str) -> str:
    """``blocks.3`` of ``blocks.3.norm``; empty outside a numbered part."""
    match = re.match(r"[^.]+\.\d+(?=\.)", name)
    return match.group() if match else ""


def steps(case: Case) -> list[Step]:
    """The block's layers; of consecutive parts with the same layers, only the first."""
    shapes, nodes = case.spec.shapes(case.input_shape), case.spec.nodes
    previous = dict(zip((node.name for node in nodes), ["input", *(node.name for node in nodes)], strict=False))
    parts = [(name, list(group)) for name, group in itertools.groupby(nodes, key=lambda node: _part(node.name))]

    def layers(name: str, group: list[Node]) -> object:
        return name and [(node.name.removeprefix(name), type(node.layer)) for node in group]

    listed: list[Step] = []
    twins: dict[str, str] = {}
    for built, alike in itertools.groupby(parts, key=lambda item: layers(*item)):
        several = list(alike)
        for name, group in several[:1] if built else several:
            for node in group:
                before = previous[node.name]
                beside = tuple(twins.get(source, source) for source in node.inputs if source != before)
                listed.append(Step(node, shapes[node.name], before, len(several), name, beside))
        for _, group in several[1:] if built else ():
            twins |= {node.name: first.name for node, first in zip(group, several[0][1], strict=True)}
    return listed


def _rows(case: Case) -> Iterator[tuple[str, str, str]]:
    yield "input", sizes(case.input_shape), ""
    for step in steps(case):
        repeated = f"  x {step.times}" if step.times > 1 else ""
        yield step.name + repeated, described(step.node.layer), f"reads {step.reads}" if step.reads else ""


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
        for source in step.beside if step else ():
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
