"""In JAX the running statistics change only if you keep what is returned

Flax's BatchNorm, like PyTorch's, changes its running statistics as a side effect. A JAX function returns the output and
the new statistics. Code that takes only the output keeps the initial zeros and ones for ever, and evaluation normalises
by them.
"""

import numpy as np

FROM = "flax"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs", "accuracy-lower")
THREADS = ("https://github.com/google/flax/issues/1489",)
X = np.random.default_rng(0).normal(3, 2, (2, 3, 5, 7)).astype(np.float32)
TERMS = 2 * 5 * 7


def source():
    from flax import nnx

    norm = nnx.BatchNorm(3, momentum=0.9, rngs=nnx.Rngs(0))
    norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])


def batch_norm(stats, x, momentum=0.9, eps=1e-5):
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    renewed = {"mean": momentum * stats["mean"] + (1 - momentum) * mean}
    return (x - mean) / (var + eps) ** 0.5, renewed


def naive_jax():
    import jax.numpy as jnp

    stats = {"mean": jnp.zeros(3)}
    _y, _ = batch_norm(stats, jnp.asarray(X.transpose(0, 2, 3, 1)))
    return np.asarray(stats["mean"])


def right_jax():
    import jax.numpy as jnp

    stats = {"mean": jnp.zeros(3)}
    _y, stats = batch_norm(stats, jnp.asarray(X.transpose(0, 2, 3, 1)))
    return np.asarray(stats["mean"])
