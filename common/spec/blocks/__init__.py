"""One file per block family: the block as a graph of layers, from hyper-parameters, and its catalogue entry."""

from common.spec.blocks import (
    convnext,
    convolutions,
    efficientnet,
    ghost,
    ghostnet,
    inverted,
    mobilenet,
    mobilenet_v2,
    mobilenet_v3,
    repvgg,
    residual,
    resnet,
    separable,
    shufflenet,
    squeezenet,
    stacks,
)

# In the order of every list and table.
FAMILIES = (
    convolutions,
    separable,
    stacks,
    mobilenet,
    ghost,
    residual,
    resnet,
    inverted,
    mobilenet_v2,
    mobilenet_v3,
    efficientnet,
    ghostnet,
    shufflenet,
    squeezenet,
    convnext,
    repvgg,
)
