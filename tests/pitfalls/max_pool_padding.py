"""A max pool pads with -inf, not with 0

`lax.reduce_window` pads with its start value. In code copied from an average pool that is 0, which is greater than
every negative value at the border.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/distdl/distdl/issues/195",)
X = np.random.default_rng(0).uniform(-2, -1, (1, 2, 5, 6)).astype(np.float32)


def source():
    import torch

    return torch.nn.MaxPool2d(3, stride=2, padding=1)(torch.from_numpy(X)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.MaxPool2D(3, stride=2, padding=1)(paddle.to_tensor(X)).numpy()


def pooled(start):
    from jax import lax

    sides = ((0, 0), (0, 0), (1, 1), (1, 1))
    return np.asarray(lax.reduce_window(X, start, lax.max, (1, 1, 3, 3), (1, 1, 2, 2), sides))


def naive_jax():
    return pooled(0.0)


def right_jax():
    return pooled(-np.inf)
