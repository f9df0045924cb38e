"""`parameters()` counts the running statistics too

PyTorch keeps the running mean and variance as buffers, which `parameters()` leaves out. Paddle keeps them as parameters
with `stop_gradient` set, and Flax keeps them in the same state as the trained ones. A BatchNorm of 3 channels trains 6
values, but a sum over all of them counts 12.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("counts-differ",)
THREADS = (
    "https://github.com/PaddlePaddle/Paddle/issues/37852",
    "https://github.com/PaddlePaddle/Paddle/issues/31263",
    "https://github.com/PaddlePaddle/Paddle/issues/48188",
)


def source():
    import torch

    return np.array(sum(p.numel() for p in torch.nn.BatchNorm2d(3).parameters()))


def naive_paddle():
    import paddle

    return np.array(sum(p.size for p in paddle.nn.BatchNorm2D(3).parameters()))


def right_paddle():
    import paddle

    return np.array(sum(p.size for p in paddle.nn.BatchNorm2D(3).parameters() if not p.stop_gradient))


def naive_flax():
    import jax
    from flax import nnx

    return np.array(sum(a.size for a in jax.tree.leaves(nnx.state(nnx.BatchNorm(3, rngs=nnx.Rngs(0))))))


def right_flax():
    import jax
    from flax import nnx

    norm = nnx.BatchNorm(3, rngs=nnx.Rngs(0))
    return np.array(sum(a.size for a in jax.tree.leaves(nnx.state(norm, nnx.Param))))
