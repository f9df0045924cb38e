"""PyTorch's "nearest" picks other pixels than JAX's

PyTorch's mode "nearest" takes floor(i · scale); JAX measures from the pixels' centres, which PyTorch calls
"nearest-exact". They agree for whole factors and differ for all others.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
THREADS = ("https://github.com/pytorch/pytorch/issues/34808", "https://github.com/pytorch/pytorch/pull/64501")
X = np.random.default_rng(0).normal(0, 1, (1, 2, 8, 8)).astype(np.float32)


def source():
    import torch

    return torch.nn.functional.interpolate(torch.from_numpy(X), size=(5, 5), mode="nearest").numpy()


def naive_jax():
    import jax

    return np.asarray(jax.image.resize(X, (1, 2, 5, 5), "nearest"))


def right_jax():
    import jax.numpy as jnp

    index = np.arange(5) * 8 // 5
    return np.asarray(jnp.asarray(X)[:, :, index][:, :, :, index])
