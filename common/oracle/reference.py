"""The oracle: runs any spec from its layer graph in plain NumPy, in the precision of its inputs (float64 in checks).

It is independent of every framework. common/layers/ says what each layer computes.
"""

from collections.abc import Callable

import numpy as np

from common.spec import INPUT, BlockSpec, Node
from common.spec.params import Arrays


def local(node: Node, params: Arrays) -> Arrays:
    """The arrays of one node, in float64, by their local names."""
    return {param.name: params[f"{node.name}.{param.name}"].astype(np.float64) for param in node.layer.params()}


def run(
    spec: BlockSpec,
    params: Arrays,
    x: np.ndarray,
    perturb: Callable[[Node, np.ndarray], np.ndarray] = lambda node, y: y,
) -> dict[str, np.ndarray]:
    """The float64 output of every node by name, in evaluation mode, for an NCHW input (kept as ``input``).

    ``perturb(node, output)`` may replace each output before the next layer reads it.
    """
    values = {INPUT: x.astype(np.float64)}
    for node in spec.nodes:
        y = node.layer.forward(local(node, params), *(values[name] for name in node.inputs))
        values[node.name] = perturb(node, y)
    return values
