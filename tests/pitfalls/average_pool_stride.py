"""`nnx.avg_pool` steps by 1 by default

PyTorch's and Paddle's pools step by the size of their window, Flax's by 1. A pool over the whole map, as at the end of
MobileNet, gives the same result; a smaller window does not.
"""

import numpy as np

FROM = "torch"
LAYERS = ("AvgPool2d",)
SYMPTOMS = ("shape-differs",)
THREADS = ("https://github.com/google/flax/issues/2029",)
X = np.random.default_rng(0).normal(0, 1, (1, 2, 6, 4)).astype(np.float32)
TERMS = 2 * 2


def source():
    import torch

    return torch.nn.AvgPool2d(2)(torch.from_numpy(X)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.AvgPool2D(2)(paddle.to_tensor(X)).numpy()


def naive_flax():
    from flax import nnx

    return np.asarray(nnx.avg_pool(X.transpose(0, 2, 3, 1), (2, 2))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    return np.asarray(nnx.avg_pool(X.transpose(0, 2, 3, 1), (2, 2), strides=(2, 2))).transpose(0, 3, 1, 2)
