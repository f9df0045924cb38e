"""A module that is not switched to evaluation normalises by the batch

A new module of PyTorch, Paddle or Flax is in training mode and stays in it until `eval()` is called. Its output then
depends on which other images are in the batch, and every call moves the running statistics.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs", "accuracy-lower")
THREADS = ("https://github.com/torch/nn/issues/863", "https://github.com/google/flax/issues/2279")
X = np.random.default_rng(0).normal(2, 3, (2, 3, 4, 5)).astype(np.float32)


def source():
    import torch

    return torch.nn.BatchNorm2d(3).eval()(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3)
    norm.eval()
    return norm(paddle.to_tensor(X)).numpy()


def naive_flax():
    from flax import nnx

    norm = nnx.BatchNorm(3, rngs=nnx.Rngs(0))
    return np.asarray(norm(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    norm = nnx.BatchNorm(3, rngs=nnx.Rngs(0))
    norm.eval()
    return np.asarray(norm(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def naive_paddle():
    import paddle

    return paddle.nn.BatchNorm2D(3)(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3)
    norm.eval()
    return norm(paddle.to_tensor(X)).numpy()
