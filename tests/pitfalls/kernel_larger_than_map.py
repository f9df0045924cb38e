"""Paddle does not refuse a kernel that is larger than the map

PyTorch raises where a kernel does not fit the padded map. Paddle returns an array of an impossible size: check the size
yourself. (1 below means refused.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/64838",)
X = np.ones((1, 1, 2, 2), np.float32)


def source():
    import torch

    try:
        torch.nn.Conv2d(1, 1, 4)(torch.from_numpy(X))
    except RuntimeError:
        return np.array(1)
    return np.array(0)


def naive_paddle():
    import paddle

    try:
        paddle.nn.Conv2D(1, 1, 4)(paddle.to_tensor(X))
    except (RuntimeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_paddle():
    import paddle

    conv = paddle.nn.Conv2D(1, 1, 4)
    fits = all(size >= kernel for size, kernel in zip(X.shape[2:], conv.weight.shape[2:], strict=True))
    return np.array(0 if fits else 1)
