"""Softmax without an axis is over the last axis in Paddle and JAX

PyTorch's `Softmax()` without `dim` (which warns) picks axis 0, 1, 0, 1 for arrays of rank 1, 2, 3, 4. Paddle, JAX and
Flax take the last axis. The two agree for rank 1 and 2. For rank 4 the last axis is right for NHWC; for NCHW it is a
softmax over each row of pixels. Write the axis.
"""

import warnings

import numpy as np

FROM = "torch"
LAYERS = ("Softmax",)
SYMPTOMS = ("layer-differs",)
THREADS = (
    "https://github.com/pytorch/pytorch/issues/1763",
    "https://github.com/PaddlePaddle/Paddle/issues/14749",
)
SHAPE = (1, 5, 3, 4)
AXIS = 1
HARMFUL = ({"SHAPE": (5, 3, 4), "AXIS": 0},)
HARMLESS = ({"SHAPE": (5, 4)},)
X = np.random.default_rng(0).normal(0, 2, SHAPE).astype(np.float32)
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

    return paddle.nn.Softmax(axis=AXIS)(paddle.to_tensor(X)).numpy()


def naive_jax():
    import jax

    return np.asarray(jax.nn.softmax(X))


def right_jax():
    import jax

    return np.asarray(jax.nn.softmax(X, axis=AXIS))
