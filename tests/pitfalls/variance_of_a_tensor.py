"""`var` and `std` divide by n - 1 in PyTorch and Paddle, by n in JAX

`torch.var` and `paddle.var` give the unbiased variance by default; `jnp.var`, like NumPy's, gives the biased one. A
norm written by hand is off by n / (n - 1) after a port.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/pytorch/pytorch/issues/50010",)
X = np.random.default_rng(0).normal(0, 1, (4, 6)).astype(np.float32)
TERMS = 6


def source():
    import torch

    return torch.from_numpy(X).var(1).numpy()


def source_paddle():
    import paddle

    return paddle.to_tensor(X).var(1).numpy()


def naive_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.var(X, 1))


def right_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.var(X, 1, ddof=1))
