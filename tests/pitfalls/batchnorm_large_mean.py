"""The fast variance of Flax's norms loses its digits where the mean is large

Flax's BatchNorm, LayerNorm and GroupNorm compute the variance as E[x²] - E[x]², one pass over the data. With a mean of
100 and a standard deviation of 0.1 the two terms agree in six of float32's seven digits, and what is left is rounding.
`use_fast_variance=False` subtracts the mean first, as the others do. Where the mean is not larger than the standard
deviation there is no difference to see.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("layer-differs", "evaluation-differs")
THREADS = ("https://github.com/google/flax/issues/1491",)
MEAN = 100
HARMFUL = ({"MEAN": -100}, {"MEAN": 1000})
HARMLESS = ({"MEAN": 0},)
X = np.random.default_rng(0).normal(MEAN, 0.1, (2, 3, 6, 6)).astype(np.float32)
TERMS = 2 * 6 * 6


def source():
    import torch

    return torch.from_numpy(X).var((0, 2, 3), correction=0).numpy()


def source_paddle():
    import paddle

    return paddle.to_tensor(X).var((0, 2, 3), unbiased=False).numpy()


def variance(norm):
    """The variance of the batch: with momentum 0 the old one has no weight."""
    norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.var[...])


def naive_flax():
    from flax import nnx

    return variance(nnx.BatchNorm(3, momentum=0.0, rngs=nnx.Rngs(0)))


def right_flax():
    from flax import nnx

    return variance(nnx.BatchNorm(3, momentum=0.0, use_fast_variance=False, rngs=nnx.Rngs(0)))
