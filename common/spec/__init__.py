"""A block as a graph of layers, and all that follows from it."""

from common.spec.graph import INIT_ONLY, INPUT, BlockSpec, Node, chain, family

__all__ = ["INIT_ONLY", "INPUT", "BlockSpec", "Node", "chain", "family"]
