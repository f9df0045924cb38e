"""The optimisers in Flax: optax's, held with their moments by an ``nnx.Optimizer``."""

import optax
from flax import nnx

from common.optimisers import SGD, Optimiser


def native(optimiser: Optimiser, module: nnx.Module) -> nnx.Optimizer:
    """Flax's optimiser of the module's parameters.

    Porting notes: ``wrt=nnx.Param`` keeps it from the running statistics. An L2 term comes before the momentum.
    """
    if isinstance(optimiser, SGD):
        decay = optax.add_decayed_weights(optimiser.weight_decay)
        rule = optax.chain(decay, optax.sgd(optimiser.lr, optimiser.momentum))
    else:
        rule = optax.adam(optimiser.lr, optimiser.beta1, optimiser.beta2, optimiser.eps)
    return nnx.Optimizer(module, rule, wrt=nnx.Param)
