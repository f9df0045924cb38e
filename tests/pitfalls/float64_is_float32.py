"""JAX's float64 is float32 unless you switch it on

`jnp.asarray` of a float64 array gives float32 without a word (a dtype that is asked for by name warns). A reference
computed so is no better than what it checks. Set `JAX_ENABLE_X64=1`, or `jax.enable_x64` around the code.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
THREADS = ("https://github.com/jax-ml/jax/issues/1333", "https://github.com/jax-ml/jax/issues/22688")
X = np.random.default_rng(0).normal(0, 1, 50)
TERMS = 50


def source():
    import torch

    return torch.from_numpy(X).square().sum().numpy()


def naive_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.square(jnp.asarray(X)).sum())


def right_jax():
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        return np.asarray(jnp.square(jnp.asarray(X)).sum())
