"""PyTorch's `momentum=None` is the mean of all batches, and has no counterpart

With `momentum=None` PyTorch's running statistics are the plain mean over the batches so far. Paddle and Flax always
average exponentially. Set the weight of the old value before each call: n / (n + 1) for the call after n others.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs",)
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/Paddle/issues/79227",)
CALLS = 3
HARMFUL = ({"CALLS": 2},)
X = np.random.default_rng(0).normal(3, 2, (CALLS, 4, 2, 3, 3)).astype(np.float32)
TERMS = CALLS * 4 * 3 * 3


def source():
    import torch

    norm = torch.nn.BatchNorm2d(2, momentum=None)
    for x in X:
        norm(torch.from_numpy(x))
    return norm.running_mean.numpy()


def naive_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(2)
    for x in X:
        norm(paddle.to_tensor(x))
    return norm._mean.numpy()


def right_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(2)
    for n, x in enumerate(X):
        norm._momentum = n / (n + 1)
        norm(paddle.to_tensor(x))
    return norm._mean.numpy()


def naive_flax():
    from flax import nnx

    norm = nnx.BatchNorm(2, rngs=nnx.Rngs(0))
    for x in X:
        norm(x.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])


def right_flax():
    from flax import nnx

    norm = nnx.BatchNorm(2, rngs=nnx.Rngs(0))
    for n, x in enumerate(X):
        norm.momentum = n / (n + 1)
        norm(x.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])
