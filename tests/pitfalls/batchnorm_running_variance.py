"""The running variance is unbiased in PyTorch, biased in Flax, JAX and in Paddle on a CPU

All four normalise a batch by its biased variance. The running variance, which evaluation uses, differs: PyTorch
averages n / (n - 1) times the biased variance; Paddle, Flax and the usual JAX code average the biased one. For n = 12
values a channel the difference is 9 %. Scale it if you train on with ported weights or compare running statistics. For
evaluation alone you need not. Paddle was run on a CPU only. By its source its GPU kernel leaves the update to cuDNN,
which averages the unbiased one (not run here): there, do not scale.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs",)
THREADS = (
    "https://github.com/pytorch/pytorch/issues/77427",
    "https://github.com/PaddlePaddle/Paddle/pull/68159",
    "https://github.com/tinygrad/tinygrad/pull/807",
)
RELATED = ("https://github.com/apache/mxnet/issues/18751",)
BATCH = 2
HEIGHT = 2
WIDTH = 3
HARMFUL = ({"BATCH": 1}, {"HEIGHT": 1, "WIDTH": 1, "BATCH": 4})
X = np.random.default_rng(0).normal(1, 2, (BATCH, 3, HEIGHT, WIDTH)).astype(np.float32)
N = BATCH * HEIGHT * WIDTH  # values a channel
TERMS = N


def source():
    import torch

    norm = torch.nn.BatchNorm2d(3, momentum=0.1)
    norm(torch.from_numpy(X))
    return norm.running_var.numpy()


def naive_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3, momentum=0.9)
    norm(paddle.to_tensor(X))
    return norm._variance.numpy()


def right_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3, momentum=0.9)
    old = norm._variance.numpy()
    norm(paddle.to_tensor(X))
    batch = (norm._variance.numpy() - 0.9 * old) / 0.1
    return 0.9 * old + 0.1 * batch * N / (N - 1)


def naive_flax():
    from flax import nnx

    norm = nnx.BatchNorm(3, momentum=0.9, rngs=nnx.Rngs(0))
    norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.var[...])


def right_flax():
    from flax import nnx

    norm = nnx.BatchNorm(3, momentum=0.9, use_fast_variance=False, rngs=nnx.Rngs(0))
    old = np.asarray(norm.var[...])
    norm(X.transpose(0, 2, 3, 1))
    batch = (np.asarray(norm.var[...]) - 0.9 * old) / 0.1
    return 0.9 * old + 0.1 * batch * N / (N - 1)


def naive_jax():
    import jax.numpy as jnp

    return np.asarray(0.9 * jnp.ones(3) + 0.1 * jnp.var(X, (0, 2, 3)))


def right_jax():
    import jax.numpy as jnp

    return np.asarray(0.9 * jnp.ones(3) + 0.1 * jnp.var(X, (0, 2, 3), ddof=1))
