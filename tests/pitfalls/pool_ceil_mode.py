"""Flax's pools have no `ceil_mode`

With `ceil_mode=True` PyTorch keeps the last, incomplete window. Flax drops it; pad the end yourself, by as much as the
last window overhangs.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
THREADS = ("https://github.com/google/flax/issues/2040",)
X = np.random.default_rng(0).normal(0, 1, (1, 2, 6, 6)).astype(np.float32)


def source():
    import torch

    return torch.nn.MaxPool2d(3, stride=2, ceil_mode=True)(torch.from_numpy(X)).numpy()


def naive_flax():
    from flax import nnx

    return np.asarray(nnx.max_pool(X.transpose(0, 2, 3, 1), (3, 3), (2, 2))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    padding = ((0, 1), (0, 1))
    return np.asarray(nnx.max_pool(X.transpose(0, 2, 3, 1), (3, 3), (2, 2), padding)).transpose(0, 3, 1, 2)
