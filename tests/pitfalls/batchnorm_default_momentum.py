"""Flax's BatchNorm averages ten times slower by default

Neither side sets `momentum`. PyTorch's default gives the new value a weight of 0.1; Flax's default of 0.99 gives it
0.01. After ten batches the running mean has seen a tenth of the data instead of two thirds. Training looks the same,
but evaluation is wrong.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs", "accuracy-lower")
THREADS = ("https://github.com/scverse/scvi-tools/pull/2309",)
TERMS = 4 * 3 * 5
X = np.random.default_rng(0).normal(3, 2, (4, 2, 3, 5)).astype(np.float32)


def source():
    import torch

    norm = torch.nn.BatchNorm2d(2)
    for _ in range(10):
        norm(torch.from_numpy(X))
    return norm.running_mean.numpy()


def naive_flax():
    from flax import nnx

    norm = nnx.BatchNorm(2, rngs=nnx.Rngs(0))
    for _ in range(10):
        norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])


def right_flax():
    from flax import nnx

    norm = nnx.BatchNorm(2, momentum=0.9, rngs=nnx.Rngs(0))
    for _ in range(10):
        norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])
