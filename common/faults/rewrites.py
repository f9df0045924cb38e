"""Wrong specs from right ones, and arrays that are stored in the wrong layout."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from common.layers import Layer
from common.spec import BlockSpec, Node

Rewrite = Callable[[BlockSpec], BlockSpec]


def _nodes(spec: BlockSpec, change: Callable[[Node], list[Node]]) -> BlockSpec:
    return replace(spec, nodes=tuple(new for node in spec.nodes for new in change(node)))


def changed(name: str, **fields: Any) -> Rewrite:
    """The layer of this name with other hyper-parameters, or (``layer``) another layer."""

    def change(node: Node) -> list[Node]:
        if node.name != name:
            return [node]
        layer = fields.get("layer") or replace(node.layer, **fields)
        return [replace(node, layer=layer)]

    return lambda spec: _nodes(spec, change)


def recast(name: str, kind: type[Layer]) -> Rewrite:
    """The layer of this name as one of another class with the same hyper-parameters."""
    return lambda spec: _nodes(
        spec, lambda node: [replace(node, layer=kind(**vars(node.layer)))] if node.name == name else [node]
    )


def without(name: str) -> Rewrite:
    """The chain without this layer: the next layer reads its input."""

    def remove(spec: BlockSpec) -> BlockSpec:
        removed = next(node for node in spec.nodes if node.name == name)
        others = (node for node in spec.nodes if node is not removed)
        relinked = (
            replace(node, inputs=tuple(removed.inputs[0] if i == name else i for i in node.inputs)) for node in others
        )
        return replace(spec, nodes=tuple(relinked))

    return remove


def swapped(first: str, second: str) -> Rewrite:
    """A layer and the one after it in the other order, in a spec that is a chain."""

    def swap(spec: BlockSpec) -> BlockSpec:
        nodes = {node.name: node.layer for node in spec.nodes}
        order = [{first: second, second: first}.get(name, name) for name in nodes]
        return replace(spec, nodes=tuple(Node(name, nodes[name]) for name in order))

    return swap


def reading(name: str, *inputs: str) -> Rewrite:
    """The layer of this name with other inputs."""
    return lambda spec: _nodes(spec, lambda node: [replace(node, inputs=inputs)] if node.name == name else [node])


def after(name: str, layer: Layer, reader: str) -> Rewrite:
    """The spec with one more layer, between a layer and one of its readers."""

    def insert(spec: BlockSpec) -> BlockSpec:
        def change(node: Node) -> list[Node]:
            inputs = tuple("more" if node.name == reader and i == name else i for i in node.inputs)
            new = replace(node, inputs=inputs)
            return [new, Node("more", layer, (name,))] if node.name == name else [new]

        return _nodes(spec, change)

    return insert


Relayout = Callable[[np.ndarray], np.ndarray]


def stored(name: str, store: Relayout, read: Relayout | None = None) -> dict[str, Any]:
    """One array stored in another layout and read back from it; without ``read``, ``store`` is its own inverse."""
    return {
        "stored": lambda arrays: arrays | {name: store(arrays[name])},
        "returned": lambda arrays: arrays | {name: (read or store)(arrays[name])} if name in arrays else arrays,
    }


def lost(change: Relayout, *names: str) -> dict[str, Any]:
    """Arrays that are changed when they are stored, and not when they are read back."""
    return {"stored": lambda arrays: arrays | {name: change(arrays[name]) for name in names}}


def flipped(weight: np.ndarray) -> np.ndarray:
    """Kernels turned by 180 degrees."""
    return weight[:, :, ::-1, ::-1]


def turned(weight: np.ndarray) -> np.ndarray:
    """Kernels with height and width exchanged."""
    return weight.swapaxes(-1, -2)


def crossed(weight: np.ndarray) -> np.ndarray:
    """A weight with in and out exchanged."""
    return weight.swapaxes(0, 1)


def reversed_channels(weight: np.ndarray) -> np.ndarray:
    """Input channels in reverse order."""
    return weight[:, ::-1]


def groups_reversed(weight: np.ndarray) -> np.ndarray:
    """The halves of the output channels exchanged."""
    return np.concatenate(np.split(weight, 2)[::-1])


def interleaved(blocks: int) -> tuple[Relayout, Relayout]:
    """``[a0 a1 b0 b1]`` as ``[a0 b0 a1 b1]``, and back."""

    def order(count: int) -> np.ndarray:
        return np.arange(count).reshape(blocks, -1).T.ravel()

    return lambda w: w[order(len(w))], lambda w: w[np.argsort(order(len(w)))]
