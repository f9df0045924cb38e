"""JAX's float64 is float32 unless you switch it on

`jnp.asarray` of a float64 array gives float32 without a warning (it warns only if the dtype is asked for by name). A
reference computed like that is no more exact than the code that it checks. Set `JAX_ENABLE_X64=1`, or use
`jax.enable_x64` around the code.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/jax-ml/jax/issues/1333", "https://github.com/jax-ml/jax/issues/22688")
X = np.random.default_rng(0).normal(0, 1, 50)
TERMS = 50


def source():
    import torch

    return torch.from_numpy(X).square().sum().numpy()


def source_paddle():
    import paddle

    return paddle.to_tensor(X).square().sum().numpy()


def naive_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.square(jnp.asarray(X)).sum())


def right_jax():
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        return np.asarray(jnp.square(jnp.asarray(X)).sum())
