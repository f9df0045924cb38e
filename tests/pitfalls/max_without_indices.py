"""`x.max(axis)` returns values alone in Paddle and JAX

PyTorch's `x.max(dim)` returns values and indices. Code that unpacks two of them takes the first two rows of Paddle's
tensor for them if there are two, and raises otherwise. Call `argmax` too.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("raises", "shape-differs")
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/38081",)
ROWS = 2
HARMFUL = ({"ROWS": 3},)
X = np.random.default_rng(0).normal(0, 1, (ROWS, 4)).astype(np.float32)


def source():
    import torch

    _, indices = torch.from_numpy(X).max(1)
    return indices.numpy()


def naive_paddle():
    import paddle

    _, indices = paddle.to_tensor(X).max(1)
    return indices.numpy()


def right_paddle():
    import paddle

    return paddle.to_tensor(X).argmax(1).numpy()


def naive_jax():
    import jax.numpy as jnp

    _, indices = jnp.asarray(X).max(1)
    return np.asarray(indices)


def right_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.asarray(X).argmax(1))
