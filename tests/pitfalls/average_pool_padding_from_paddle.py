"""Paddle's average pool divides by the number of real pixels

Paddle's pool leaves the padding out of the mean by default. PyTorch and Flax count it, and so does a sum of
`lax.reduce_window` divided by the window's size. Their means at the border are too small, in a corner by a factor of
9/4.
"""

import numpy as np

FROM = "paddle"
LAYERS = ("AvgPool2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/36920",)
X = np.random.default_rng(0).uniform(1, 2, (1, 2, 6, 5)).astype(np.float32)
TERMS = 3 * 3


def source():
    import paddle

    return paddle.nn.AvgPool2D(3, stride=2, padding=1)(paddle.to_tensor(X)).numpy()


def naive_torch():
    import torch

    return torch.nn.AvgPool2d(3, stride=2, padding=1)(torch.from_numpy(X)).numpy()


def right_torch():
    import torch

    return torch.nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)(torch.from_numpy(X)).numpy()


def flax_pool(**options):
    from flax import nnx

    y = nnx.avg_pool(X.transpose(0, 2, 3, 1), (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)), **options)
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_flax():
    return flax_pool()


def right_flax():
    return flax_pool(count_include_pad=False)


def window_sums(x):
    from jax import lax

    sides = ((0, 0), (0, 0), (1, 1), (1, 1))
    return np.asarray(lax.reduce_window(x, 0.0, lax.add, (1, 1, 3, 3), (1, 1, 2, 2), sides))


def naive_jax():
    return window_sums(X) / 9


def right_jax():
    return window_sums(X) / window_sums(np.ones_like(X))
