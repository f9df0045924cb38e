"""The layer vocabulary: what a block may be made of. A file is a family of kinds, a class is a kind.

A class has all rules of its kind: fields, arrays, shapes, forward and backward pass, rounding, cost, formula (see
`common.layers.base.Layer`). It stores complete tuples, so its readers (the reference, the tolerances, the costs, a
backend) need no checks. A pair may be written as an int; a padding as an int, a pair, or the name of a rule. The
annotations say what is stored.

Conventions: activations are NCHW; kernels are OIHW ``[out, in / groups, height, width]``; linear weights are
``[out, in]``. A padding is ``((top, bottom), (left, right))`` zeros. Names follow PyTorch's.
"""

from common.layers import (
    activation,
    convolution,
    linear,
    normalisation,
    pooling,
    sample_normalisation,
    scale,
    structure,
)
from common.layers.activation import *  # noqa: F403
from common.layers.base import Layer
from common.layers.convolution import *  # noqa: F403
from common.layers.linear import *  # noqa: F403
from common.layers.normalisation import *  # noqa: F403
from common.layers.pooling import *  # noqa: F403
from common.layers.sample_normalisation import *  # noqa: F403
from common.layers.scale import *  # noqa: F403
from common.layers.structure import *  # noqa: F403

# A family's ``__all__`` has its kinds.
FAMILIES = (convolution, normalisation, sample_normalisation, scale, activation, pooling, structure, linear)
KINDS: tuple[type[Layer], ...] = tuple(getattr(family, name) for family in FAMILIES for name in family.__all__)
