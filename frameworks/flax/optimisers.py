"""The optimisers in Flax: optax's, in an ``nnx.Optimizer`` that keeps their moments."""

import functools

import optax
from flax import nnx

from common.oracle.optimisers import SGD, Optimiser


@functools.cache  # one object an optimiser: jit knows compiled steps by it
def rule(optimiser: Optimiser) -> optax.GradientTransformation:
    """Optax's transformation of gradients into updates. An L2 term comes before the momentum."""
    if isinstance(optimiser, SGD):
        decay = optax.add_decayed_weights(optimiser.weight_decay)
        return optax.chain(decay, optax.sgd(optimiser.lr, optimiser.momentum))
    return optax.adam(optimiser.lr, optimiser.beta1, optimiser.beta2, optimiser.eps)


def native(optimiser: Optimiser, module: nnx.Module) -> nnx.Optimizer:
    """Flax's optimiser of the module's parameters.

    Porting notes: with ``wrt=nnx.Param`` it leaves the running statistics alone.
    """
    # Compiled: without, the moments of every shape would be compiled for themselves.
    return nnx.jit(lambda module: nnx.Optimizer(module, rule(optimiser), wrt=nnx.Param))(module)
