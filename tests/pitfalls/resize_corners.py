"""`align_corners=True` has no counterpart in `jax.image.resize`

It aligns the corner pixels of both images; JAX, and PyTorch without it, aligns their edges. Compute the scale and the
shift yourself, and write `antialias=False`: by default `scale_and_translate` smooths an image that it shrinks, and
PyTorch does not. Without it the port is right for enlarging only. The formula needs two pixels or more on a side.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/jax-ml/jax/issues/11206", "https://github.com/google/flax/issues/2214")
SIZE = 5
TO = 9
HARMFUL = ({"SIZE": 9, "TO": 4},)
HARMLESS = ({"SIZE": 5, "TO": 5},)
X = np.random.default_rng(0).normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)
TERMS = 4 * 9  # the weights are computed from positions up to 9


def source():
    import torch

    x = torch.from_numpy(X)
    return torch.nn.functional.interpolate(x, size=(TO, TO), mode="bilinear", align_corners=True).numpy()


def source_paddle():
    import paddle

    x = paddle.to_tensor(X)
    return paddle.nn.functional.interpolate(x, size=(TO, TO), mode="bilinear", align_corners=True).numpy()


def naive_jax():
    import jax

    return np.asarray(jax.image.resize(X, (1, 2, TO, TO), "bilinear"))


def right_jax():
    import jax
    import jax.numpy as jnp

    scale = jnp.full(2, (TO - 1) / (SIZE - 1))
    shift = 0.5 - 0.5 * scale
    shape = (1, 2, TO, TO)
    return np.asarray(jax.image.scale_and_translate(X, shape, (2, 3), scale, shift, "bilinear", antialias=False))
