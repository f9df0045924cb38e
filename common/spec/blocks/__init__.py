"""One file per block family: the block as a graph of layers, built from hyper-parameters, and what is known of it."""

from common.spec.blocks import convolutions, ghost, mobilenet, separable, stacks

FAMILIES = (convolutions, separable, stacks, mobilenet, ghost)  # in the order of every list and table
