"""Softmax without an axis is over the columns in Paddle

PyTorch's `Softmax()` without `dim` picks axis 1 for maps of rank 4 (and warns). Paddle, JAX and Flax take the last
axis. That is right for NHWC; for NCHW it is a softmax over each row of pixels.
"""

import warnings

import numpy as np

FROM = "torch"
LAYERS = ("Softmax",)
THREADS = (
    "https://github.com/pytorch/pytorch/issues/1763",
    "https://github.com/PaddlePaddle/Paddle/issues/14749",
)
X = np.random.default_rng(0).normal(0, 2, (1, 5, 3, 4)).astype(np.float32)
TERMS = 5


def source():
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the choice of the axis is deprecated
        return torch.nn.Softmax()(torch.from_numpy(X)).numpy()


def naive_paddle():
    import paddle

    return paddle.nn.Softmax()(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.Softmax(axis=1)(paddle.to_tensor(X)).numpy()


def naive_jax():
    import jax

    return np.asarray(jax.nn.softmax(X))


def right_jax():
    import jax

    return np.asarray(jax.nn.softmax(X, axis=1))
