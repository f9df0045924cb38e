"""What a block costs, from its layer graph alone.

Words: **MACs** are multiply-accumulates of convolutions and linear layers; **FLOPs** are 2 x MACs. Tools differ:
fvcore, thop and ptflops print MACs (fvcore calls them flops), torch's FlopCounterMode and XLA's cost analysis 2 x MACs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from common.spec import INPUT, BlockSpec


@dataclass(frozen=True)
class Cost:
    """A block's cost on one input, in bytes of the dtype. Traffic is that of one layer after another, unfused.

    ``activation_bytes`` counts every layer's output once. ``read_bytes`` counts each layer's inputs and arrays,
    ``write_bytes`` its output; views (flatten, channel slice, dropout in evaluation) are counted as if copied.
    ``input_macs`` are those of layers that read the block's input, whose gradient a training step does not need.
    """

    trainable: int
    buffers: int
    macs: int
    weight_bytes: int
    activation_bytes: int
    read_bytes: int
    write_bytes: int
    input_macs: int = 0

    @property
    def flops(self) -> int:
        return 2 * self.macs


def cost(spec: BlockSpec, input_shape: Sequence[int], itemsize: int = 4) -> Cost:
    """The cost of a forward pass on an input ``(n, c, h, w)``; ``itemsize`` is the bytes of one number.

    Raises:
        SpecError: if the block cannot take the shape.
    """
    shapes = spec.shapes(input_shape)
    params = spec.params()
    weights = sum(param.size for param in params)
    read = sum(math.prod(shapes[name]) for node in spec.nodes for name in node.inputs)
    outputs = sum(math.prod(shapes[node.name]) for node in spec.nodes)
    return Cost(
        trainable=sum(param.size for param in params if param.trainable),
        buffers=sum(param.size for param in params if not param.trainable),
        macs=sum(node.layer.macs(shapes[node.name]) for node in spec.nodes),
        input_macs=sum(node.layer.macs(shapes[node.name]) for node in spec.nodes if INPUT in node.inputs),
        weight_bytes=itemsize * weights,
        activation_bytes=itemsize * outputs,
        read_bytes=itemsize * (read + weights),
        write_bytes=itemsize * outputs,
    )
