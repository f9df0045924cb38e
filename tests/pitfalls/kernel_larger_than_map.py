"""Only PyTorch refuses a kernel that is larger than the map

PyTorch raises if a kernel does not fit the padded map. Paddle returns a tensor of negative size, JAX and Flax return an
empty array, and the error comes much later or never. Check the size yourself. (1 below means refused.)
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


def naive_jax():
    from jax import lax

    try:
        lax.conv_general_dilated(X, np.ones((1, 1, 4, 4), np.float32), (1, 1), "VALID")
    except (TypeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_jax():
    kernel = np.ones((1, 1, 4, 4), np.float32)
    fits = all(size >= length for size, length in zip(X.shape[2:], kernel.shape[2:], strict=True))
    return np.array(0 if fits else 1)
