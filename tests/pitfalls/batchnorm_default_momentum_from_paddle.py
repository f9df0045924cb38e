"""Momentum means the same in Paddle and Flax, but the defaults differ

In both it is the weight of the old value, so leaving it out seems safe. Paddle's default is 0.9, Flax's is 0.99.
"""

import numpy as np

FROM = "paddle"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs", "accuracy-lower")
THREADS = ("https://github.com/scverse/scvi-tools/pull/2309",)
TERMS = 2 * 3 * 5
X = np.random.default_rng(0).normal(3, 2, (2, 2, 3, 5)).astype(np.float32)


def source():
    import paddle

    norm = paddle.nn.BatchNorm2D(2)
    norm(paddle.to_tensor(X))
    return norm._mean.numpy()


def running_mean(**options):
    from flax import nnx

    norm = nnx.BatchNorm(2, rngs=nnx.Rngs(0), **options)
    norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])


def naive_flax():
    return running_mean()


def right_flax():
    return running_mean(momentum=0.9)
