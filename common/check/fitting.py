"""The band around the losses of a training, computed once."""

import hashlib
from collections.abc import Sequence

from common.check.cache import kept
from common.oracle.digits import Batch
from common.oracle.fitting import Losses, expected_losses
from common.oracle.optimisers import Optimiser
from common.spec import BlockSpec
from common.spec.params import Arrays


def expected(
    spec: BlockSpec, params: Arrays, batches: Sequence[Batch], optimiser: Optimiser, dtype: str = "float32"
) -> Losses:
    """See `common.oracle.fitting.expected_losses`."""
    digest = hashlib.blake2b()
    for array in (*params.values(), *(array for batch in batches for array in batch)):
        digest.update(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes())
    question = spec, list(params), digest.hexdigest(), optimiser, dtype
    return kept(Losses, question, lambda: expected_losses(spec, params, batches, optimiser, dtype))
