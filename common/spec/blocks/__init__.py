"""One file per block family: the block as a graph of layers, from hyper-parameters, and its catalogue entry."""

from common.spec.blocks import convolutions, ghost, mobilenet, separable, stacks

FAMILIES = (convolutions, separable, stacks, mobilenet, ghost)  # in the order of every list and table
