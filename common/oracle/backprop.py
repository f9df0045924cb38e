"""The oracle in training: batch statistics, gradients, running statistics and optimiser steps, in plain NumPy.

common/layers/ says what the gradients of each layer are. Dropout has no rule for a rate above 0: its
mask is random in every framework, so blocks are compared without it (`without_dropout`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from common.layers.base import Gradients
from common.oracle.optimisers import SGD, Optimiser, updater
from common.oracle.reference import local
from common.spec import INPUT, BlockSpec, Node
from common.spec.params import Arrays


def without_dropout(spec: BlockSpec) -> BlockSpec:
    """The block with every dropout rate 0; checks of training use it."""
    nodes = tuple(replace(node, layer=node.layer.without_chance()) for node in spec.nodes)
    options = {**spec.options, "dropout": 0.0} if "dropout" in spec.options else spec.options
    return replace(spec, nodes=nodes, options=options)


class Exact:
    """What may disturb a training pass. This class disturbs nothing; `training_rounding.Rounded` adds rounding."""

    def begin(self) -> None:
        """A pass begins."""

    def output(self, node: Node, params: Arrays, inputs: list[np.ndarray], y: np.ndarray) -> np.ndarray:
        return y

    def statistics(self, node: Node, inputs: list[np.ndarray], exact: Arrays) -> Arrays:
        """A norm's batch statistics, by the local names of its running statistics."""
        return exact

    def gradients(
        self, node: Node, params: Arrays, inputs: list[np.ndarray], dy: np.ndarray, exact: Gradients
    ) -> Gradients:
        return exact

    def cotangent(self, node: Node, dy: np.ndarray) -> np.ndarray:
        """The gradient of the node's output, summed over all nodes that read it."""
        return dy

    def decisive(self, node: Node, x: np.ndarray) -> np.ndarray:
        """The input of a layer with kinks, which decides the gradient that the layer passes on."""
        return x

    def loss(self, logits: np.ndarray, losses: np.ndarray, dy: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean of the samples' cross-entropies, and its gradient ``dy`` by the logits."""
        return float(losses.mean()), dy

    def complement(self, power: float) -> float:
        """``1 - power``, by which Adam divides its moments."""
        return 1 - power

    def state(self, arrays: Arrays) -> Arrays:
        """The arrays as they are stored after a step."""
        return arrays


@dataclass
class Pass:
    """One training pass: outputs by node, gradients by canonical name (and ``input``), new running statistics.

    ``cotangents`` are the gradients of every node's output.
    """

    values: dict[str, np.ndarray]
    gradients: Arrays
    cotangents: dict[str, np.ndarray]
    statistics: Arrays


def train(
    spec: BlockSpec,
    params: Arrays,
    x: np.ndarray,
    dy: np.ndarray | Callable[[np.ndarray], np.ndarray] | None,
    disturb: Exact | None = None,
) -> Pass:
    """Forward in training mode and, for a cotangent ``dy`` of the output, backward; float64, NCHW.

    ``dy`` may be a function of the output: the gradient of a loss.

    Raises:
        ValueError: if the block has dropout.
    """
    disturb = disturb or Exact()
    disturb.begin()
    values, gradients, statistics = {INPUT: x.astype(np.float64)}, Arrays(), Arrays()
    arrays = {node.name: local(node, params) for node in spec.nodes}
    for node in spec.nodes:
        inputs, local_arrays = [values[name] for name in node.inputs], arrays[node.name]
        batch = node.layer.batch_statistics(inputs)
        if batch:
            batch = disturb.statistics(node, inputs, batch)
            renewed = node.layer.renewed(local_arrays, batch, inputs)
            statistics |= {f"{node.name}.{leaf}": value for leaf, value in renewed.items()}
        y = node.layer.forward({**local_arrays, **batch}, *inputs)
        values[node.name] = disturb.output(node, local_arrays, inputs, y)
    if dy is None:
        return Pass(values, {}, {}, statistics)
    output = spec.nodes[-1].name
    dy = dy(values[output]) if callable(dy) else dy
    cotangents: dict[str, np.ndarray] = {output: dy.astype(np.float64)}
    for node in reversed(spec.nodes):
        inputs, local_arrays = [values[name] for name in node.inputs], arrays[node.name]
        cotangent = disturb.cotangent(node, cotangents.get(node.name, np.zeros_like(values[node.name])))
        cotangents[node.name] = cotangent
        if node.layer.kinks:
            inputs = [disturb.decisive(node, inputs[0])]
        exact = node.layer.backward(local_arrays, inputs, values[node.name], cotangent)
        by_input, by_name = disturb.gradients(node, local_arrays, inputs, cotangent, exact)
        for name, gradient in zip(node.inputs, by_input, strict=True):
            cotangents[name] = cotangents[name] + gradient if name in cotangents else gradient
        gradients |= {f"{node.name}.{leaf}": gradient for leaf, gradient in by_name.items()}
    gradients[INPUT] = cotangents.get(INPUT, np.zeros_like(values[INPUT]))
    return Pass(values, gradients, cotangents, statistics)


def trajectory(
    spec: BlockSpec,
    params: Arrays,
    batches: list[tuple[np.ndarray, np.ndarray]],
    optimiser: Optimiser | None,
    disturb: Exact | None = None,
) -> tuple[list[Arrays], list[Pass]]:
    """All arrays after each step on ``sum(y * dy)``, running statistics included, in float64; and the passes.

    Without an optimiser nothing is differentiated and only the running statistics change.
    """
    disturb = disturb or Exact()
    update, states, passes = updater(optimiser or SGD(), disturb.complement), [], []
    state = {name: array.astype(np.float64) for name, array in params.items()}
    for x, dy in batches:
        step = train(spec, state, x, dy if optimiser else None, disturb)
        state = disturb.state(update(state, step.gradients) | step.statistics)
        states.append(state)
        passes.append(step)
    return states, passes
