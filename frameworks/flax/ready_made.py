"""Flax's ready-made form of a block: its layers in ``nnx.Sequential``, to compare ours with."""

from collections.abc import Callable
from typing import Any

from flax import nnx

from common.names import known
from common.spec import BlockSpec
from common.spec.catalogue import PLAIN
from frameworks.flax.graph import native


class Named(nnx.Sequential):
    """``nnx.Sequential`` whose layers have names instead of numbers."""

    def __init__(self, layers: dict[str, Callable[..., Any]]) -> None:
        self.names = tuple(layers)
        for name, layer in layers.items():
            setattr(self, name, layer)

    @property
    def layers(self) -> list[Callable[..., Any]]:  # type: ignore[override]
        return [getattr(self, name) for name in self.names]


def ready_made(block: BlockSpec) -> Callable[[nnx.Rngs], nnx.Module]:
    """A function that makes the block under the spec's module paths; NHWC.

    Raises:
        ValueError: for a block that Flax does not have.
    """
    known("ready-made block of flax", block.family, PLAIN)
    return lambda rngs: Named({node.name: native(node.layer, rngs) for node in block.nodes})
