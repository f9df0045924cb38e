"""`interpolate(mode="nearest")` and `jax.image.resize(..., "nearest")` pick other pixels

PyTorch's mode "nearest" takes the pixel floor(i · scale); Paddle's does too. JAX measures from the centres of the
pixels, which PyTorch calls "nearest-exact". The two agree only if you enlarge by a whole factor. They differ for every
smaller size, also for half of it (of 8 pixels PyTorch takes 0, 2, 4, 6 and JAX 1, 3, 5, 7), and for 3/2 of it.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/pytorch/pytorch/issues/34808", "https://github.com/pytorch/pytorch/pull/64501")
SIZE = 8
TO = 5
HARMFUL = ({"SIZE": 8, "TO": 4}, {"SIZE": 6, "TO": 9})
HARMLESS = ({"SIZE": 3, "TO": 9},)
X = np.random.default_rng(0).normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)


def source():
    import torch

    return torch.nn.functional.interpolate(torch.from_numpy(X), size=(TO, TO), mode="nearest").numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.interpolate(paddle.to_tensor(X), size=(TO, TO), mode="nearest").numpy()


def naive_jax():
    import jax

    return np.asarray(jax.image.resize(X, (1, 2, TO, TO), "nearest"))


def right_jax():
    import jax.numpy as jnp

    index = np.arange(TO) * SIZE // TO
    return np.asarray(jnp.asarray(X)[:, :, index][:, :, :, index])
