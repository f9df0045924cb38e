"""`jax.jit` of an nnx module loses its running statistics and repeats its dropout

`jax.jit(lambda model, x: model(x))` runs in Flax 0.12.8 and raises nothing. The module inside is a copy: new running
statistics are dropped, and each call draws the same dropout mask. `jax.grad` does the same. Use `nnx.jit` and
`nnx.grad`, or split the module and return the new state.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d", "Dropout")
SYMPTOMS = ("evaluation-differs", "accuracy-lower", "training-diverges")
THREADS = ("https://github.com/google/flax/issues/4539", "https://github.com/google/flax/pull/4286")
X = np.random.default_rng(0).normal(3, 2, (4, 2, 3, 3)).astype(np.float32)
TERMS = 4 * 3 * 3


def source():
    import torch

    norm = torch.nn.BatchNorm2d(2)
    norm(torch.from_numpy(X))
    return norm.running_mean.numpy()


def source_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(2)
    norm(paddle.to_tensor(X))
    return norm._mean.numpy()


def running_mean(jit):
    from flax import nnx

    norm = nnx.BatchNorm(2, momentum=0.9, rngs=nnx.Rngs(0))
    jit(lambda module, x: module(x))(norm, X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])


def naive_flax():
    import jax

    return running_mean(jax.jit)


def right_flax():
    from flax import nnx

    return running_mean(nnx.jit)
