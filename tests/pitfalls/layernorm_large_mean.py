"""`nnx.LayerNorm` and `nnx.GroupNorm` lose digits where the mean is large, in evaluation too

They compute the variance as E[x²] - E[x]² by default, and have no running statistics to evaluate with. With a mean of
64 times the standard deviation three of float32's seven digits are left; with 1000 times it the output, which should be
of unit size, was off by 1.2. Write `use_fast_variance=False`, and PyTorch's epsilon of 1e-5.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/google/flax/issues/1491",)
MEAN = 64
HARMFUL = ({"MEAN": -64},)
HARMLESS = ({"MEAN": 1},)
X = np.random.default_rng(0).normal(MEAN, 1, (4, 256)).astype(np.float32)
TERMS = 17**2  # a rounding of the mean is 17 times one of the greatest value, 3.8


def source():
    import torch

    return torch.nn.LayerNorm(256)(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    import paddle

    return paddle.nn.LayerNorm(256)(paddle.to_tensor(X)).numpy()


def layer_norm(**options):
    from flax import nnx

    return np.asarray(nnx.LayerNorm(256, rngs=nnx.Rngs(0), epsilon=1e-5, **options)(X))


def naive_flax():
    return layer_norm()


def right_flax():
    return layer_norm(use_fast_variance=False)
