"""`jax.image.resize` blurs before it shrinks

PyTorch's `interpolate` blurs only with `antialias=True`. In JAX that is the default: smaller copies of an image differ
everywhere.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs", "accuracy-lower")
THREADS = ("https://github.com/sayakpaul/cmmd-pytorch/issues/4",)
X = np.random.default_rng(0).normal(0, 1, (1, 2, 8, 8)).astype(np.float32)
TERMS = 4


def source():
    import torch

    return torch.nn.functional.interpolate(torch.from_numpy(X), size=(4, 4), mode="bilinear").numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.interpolate(paddle.to_tensor(X), size=(4, 4), mode="bilinear").numpy()


def naive_jax():
    import jax

    return np.asarray(jax.image.resize(X, (1, 2, 4, 4), "bilinear"))


def right_jax():
    import jax

    return np.asarray(jax.image.resize(X, (1, 2, 4, 4), "bilinear", antialias=False))
