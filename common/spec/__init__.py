"""A block as a graph of layers, and all that follows from it."""

from common.spec.graph import INPUT, BlockSpec, InitOnly, Node, chain, family

__all__ = ["INPUT", "BlockSpec", "InitOnly", "Node", "chain", "family"]
