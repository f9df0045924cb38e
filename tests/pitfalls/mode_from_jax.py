"""A JAX function evaluates by default; a module trains by default

Functions of a network in JAX often take `train=False` by default. A new module of PyTorch, Paddle or Flax starts in
training mode: the same call, without an argument, normalises by the batch.
"""

import numpy as np

FROM = "jax"
LAYERS = ("BatchNorm2d", "Dropout")
SYMPTOMS = ("evaluation-differs",)
THREADS = ("https://github.com/torch/nn/issues/863",)
X = np.random.default_rng(0).normal(2, 3, (2, 3, 4, 5)).astype(np.float32)


def batch_norm(stats, x, train=False, eps=1e-5):
    axes = (0, 2, 3)
    mean, var = (x.mean(axes), x.var(axes)) if train else (stats["mean"], stats["var"])
    return (x - mean.reshape(-1, 1, 1)) / (var.reshape(-1, 1, 1) + eps) ** 0.5


def source():
    import jax.numpy as jnp

    return np.asarray(batch_norm({"mean": jnp.zeros(3), "var": jnp.ones(3)}, jnp.asarray(X)))


def naive_torch():
    import torch

    return torch.nn.BatchNorm2d(3)(torch.from_numpy(X)).detach().numpy()


def right_torch():
    import torch

    return torch.nn.BatchNorm2d(3).eval()(torch.from_numpy(X)).detach().numpy()


def naive_paddle():
    import paddle

    return paddle.nn.BatchNorm2D(3)(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.BatchNorm2D(3).eval()(paddle.to_tensor(X)).numpy()


def naive_flax():
    from flax import nnx

    return np.asarray(nnx.BatchNorm(3, axis=1, rngs=nnx.Rngs(0))(X))


def right_flax():
    from flax import nnx

    return np.asarray(nnx.BatchNorm(3, axis=1, use_running_average=True, rngs=nnx.Rngs(0))(X))
