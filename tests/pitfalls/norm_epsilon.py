"""Flax's LayerNorm and GroupNorm add a tenth of the epsilon

The default is 1e-6 in Flax and 1e-5 in PyTorch (for BatchNorm it is 1e-5 in both). The difference does not show on
activations of unit size, but it does on small ones. (`use_fast_variance=False` is [another
difference](layernorm_large_mean.md), for a large mean.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/MegEngine/MegDiffusion/issues/5",)
RELATED = ("https://github.com/ml-explore/mlx-examples/issues/1434",)
X = np.random.default_rng(0).normal(0, 0.01, (2, 4, 3, 5)).astype(np.float32)
TERMS = 2 * 3 * 5


def source():
    import torch

    return torch.nn.GroupNorm(2, 4)(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    import paddle

    return paddle.nn.GroupNorm(2, 4)(paddle.to_tensor(X)).numpy()


def naive_flax():
    from flax import nnx

    norm = nnx.GroupNorm(4, num_groups=2, rngs=nnx.Rngs(0))
    return np.asarray(norm(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    norm = nnx.GroupNorm(4, num_groups=2, epsilon=1e-5, use_fast_variance=False, rngs=nnx.Rngs(0))
    return np.asarray(norm(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
