"""The optimisers in JAX: optax's."""

import optax

from common.oracle.optimisers import SGD, Optimiser


def native(optimiser: Optimiser) -> optax.GradientTransformation:
    """Optax's transformation of gradients into updates.

    Porting notes: an L2 term is a separate transformation, and must come before the momentum.
    """
    if isinstance(optimiser, SGD):
        decay = optax.add_decayed_weights(optimiser.weight_decay)
        return optax.chain(decay, optax.sgd(optimiser.lr, optimiser.momentum))
    return optax.adam(optimiser.lr, optimiser.beta1, optimiser.beta2, optimiser.eps)
