"""`align_corners=True` has no counterpart in `jax.image.resize`

It aligns the corner pixels of both images; JAX, and PyTorch without it, aligns their edges. Compute the scale and the
shift yourself.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
THREADS = ("https://github.com/jax-ml/jax/issues/11206", "https://github.com/google/flax/issues/2214")
X = np.random.default_rng(0).normal(0, 1, (1, 2, 5, 5)).astype(np.float32)
TERMS = 4 * 9  # the weights are computed from positions up to 9


def source():
    import torch

    x = torch.from_numpy(X)
    return torch.nn.functional.interpolate(x, size=(9, 9), mode="bilinear", align_corners=True).numpy()


def naive_jax():
    import jax

    return np.asarray(jax.image.resize(X, (1, 2, 9, 9), "bilinear"))


def right_jax():
    import jax
    import jax.numpy as jnp

    scale = jnp.full(2, (9 - 1) / (5 - 1))
    shift = 0.5 - 0.5 * scale
    return np.asarray(jax.image.scale_and_translate(X, (1, 2, 9, 9), (2, 3), scale, shift, "bilinear"))
