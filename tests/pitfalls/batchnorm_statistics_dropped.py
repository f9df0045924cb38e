"""In JAX nothing is updated unless you keep what is returned

PyTorch's BatchNorm changes its running statistics as a side effect. A JAX function returns new ones beside the output:
who takes the output only keeps zeros and ones for ever, and evaluation normalises by them.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
THREADS = ("https://github.com/google/flax/issues/1489",)
X = np.random.default_rng(0).normal(3, 2, (2, 3, 5, 7)).astype(np.float32)
TERMS = 2 * 5 * 7


def source():
    import torch

    norm = torch.nn.BatchNorm2d(3, momentum=0.1)
    norm(torch.from_numpy(X))
    return norm.running_mean.numpy()


def batch_norm(stats, x, momentum=0.1, eps=1e-5):
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    renewed = {"mean": (1 - momentum) * stats["mean"] + momentum * mean}
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
