"""The catalogue's entry for a block, which stands at the end of the block's file."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from common.layers.values import Shape
from common.spec import BlockSpec

TRAINED = 700_000  # elements of all activations together


@dataclass(frozen=True)
class Case:
    """One block at one setting on one input shape ``(n, c, h, w)``.

    A case is checked ``also_in_float64`` if rounding in float32 could hide a mistake in its training.
    """

    name: str
    spec: BlockSpec
    input_shape: Shape
    dtype: str = "float32"
    seed: int = 0
    also_in_float64: bool = False

    @property
    def id(self) -> str:
        return f"{self.spec.family}-{self.name}"

    @property
    def trained(self) -> bool:
        """Whether training is compared too: not on large maps, where the reference would take minutes."""
        return sum(map(math.prod, self.spec.shapes(self.input_shape).values())) <= TRAINED

    def cast(self, dtype: str) -> "Case":
        """The same case in another dtype."""
        return replace(self, dtype=dtype)


def sized(name: str, spec: BlockSpec, input_shape: Shape) -> Case:
    """A case that is timed or counted: its name ends in its input shape."""
    return Case(f"{name}-{'x'.join(map(str, input_shape))}", spec, input_shape)


@dataclass(frozen=True)
class Counts:
    """The output's shape, the numbers of trainable values and of buffer values, and the MACs."""

    output_shape: Shape
    trainable: int
    buffers: int
    macs: int


@dataclass(frozen=True)
class Entry:
    """A block of the catalogue.

    ``cases`` are checked. Their sizes are odd, even and not square, channels in and out differ, and the batch is more
    than one wherever the source does not fix it: a port that swaps height and width, or in and out, must not pass by
    luck. The last one is small. ``timed`` has, by profile, sizes that networks use. ``published`` has the counts that
    the source states or gives a formula for. A ``plain`` block is one layer after another: every framework that has
    layers can build it.
    """

    make: Callable[..., BlockSpec]
    source: str
    cases: tuple[Case, ...]
    timed: Mapping[str, tuple[Case, ...]]
    published: Mapping[Case, Counts] = field(default_factory=dict)
    plain: bool = False
