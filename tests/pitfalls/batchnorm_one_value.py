"""Only PyTorch refuses a BatchNorm of one value a channel in training

Its variance is 0. PyTorch raises. On a CPU Paddle returns the input as it is, not normalised; Flax returns the bias. It
happens to a last batch of one sample after a pool to 1 x 1. Drop that batch: `drop_last=True`. (1 below means refused.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/pytorch/pytorch/issues/4534", "https://github.com/scverse/scvi-tools/issues/2314")
BATCH = 1
SIZE = 1
HARMLESS = ({"BATCH": 2}, {"SIZE": 2})
X = np.random.default_rng(0).normal(0, 1, (BATCH, 3, SIZE, SIZE)).astype(np.float32)


def source():
    import torch

    try:
        torch.nn.BatchNorm2d(3)(torch.from_numpy(X))
    except ValueError:
        return np.array(1)
    return np.array(0)


def naive_paddle():
    import paddle

    try:
        paddle.nn.BatchNorm2D(3)(paddle.to_tensor(X))
    except (RuntimeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_paddle():
    return np.array(1 if BATCH * SIZE * SIZE == 1 else 0)


def naive_flax():
    from flax import nnx

    try:
        nnx.BatchNorm(3, rngs=nnx.Rngs(0))(X.transpose(0, 2, 3, 1))
    except ValueError:
        return np.array(1)
    return np.array(0)


def right_flax():
    return np.array(1 if BATCH * SIZE * SIZE == 1 else 0)
