"""The same seed does not give the same weights

Generators and the order of draws differ, so seeding both frameworks with 0 gives two unrelated networks. To start from
the same weights, copy the arrays.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs", "training-diverges")
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/44751",)


def source():
    import torch

    torch.manual_seed(0)
    return torch.rand(8).numpy()


def naive_paddle():
    import paddle

    paddle.seed(0)
    return paddle.rand([8]).numpy()


def right_paddle():
    import paddle

    return paddle.to_tensor(source()).numpy()


def naive_jax():
    import jax

    return np.asarray(jax.random.uniform(jax.random.key(0), (8,)))


def right_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.asarray(source()))
