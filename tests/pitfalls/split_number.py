"""`split(x, 3)` makes 3 parts in Paddle, parts of 3 in PyTorch

PyTorch's number is the size of a part; Paddle's, and that of `jnp.split`, is how many parts. A split into as many parts
as their size agrees. Pass a list of sizes to PyTorch and Paddle, and the positions of the cuts to `jnp.split`.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Concat",)
SYMPTOMS = ("shape-differs",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/36872",)
CHANNELS = 6
PART = 3
HARMFUL = ({"PART": 2},)
HARMLESS = ({"CHANNELS": 9},)
X = np.random.default_rng(0).normal(0, 1, (1, CHANNELS, 2, 2)).astype(np.float32)


def source():
    import torch

    return torch.split(torch.from_numpy(X), PART, dim=1)[1].numpy()


def naive_paddle():
    import paddle

    return paddle.split(paddle.to_tensor(X), PART, axis=1)[1].numpy()


def right_paddle():
    import paddle

    return paddle.split(paddle.to_tensor(X), [PART] * (CHANNELS // PART), axis=1)[1].numpy()


def naive_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.split(X, PART, axis=1)[1])


def right_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.split(X, np.arange(PART, CHANNELS, PART), axis=1)[1])
