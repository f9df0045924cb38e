"""Bicubic resizing has another kernel in JAX

The cubic kernel has a parameter: -0.75 in PyTorch, Paddle and OpenCV, -0.5 in JAX, TensorFlow and Pillow. No argument
of `jax.image.resize` changes it. Build the matrix of weights yourself; it repeats the pixels at the border as PyTorch
does.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs", "accuracy-lower")
THREADS = ("https://github.com/jax-ml/jax/issues/15768",)
RELATED = ("https://github.com/jax-ml/jax/issues/11206",)
SIZE = 5
TO = 10
HARMFUL = ({"SIZE": 8, "TO": 5},)
HARMLESS = ({"TO": 5},)
X = np.random.default_rng(0).normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)
TERMS = 16 * 8  # the weights are computed from positions up to 8


def source():
    import torch

    return torch.nn.functional.interpolate(torch.from_numpy(X), size=(TO, TO), mode="bicubic").numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.interpolate(paddle.to_tensor(X), size=(TO, TO), mode="bicubic").numpy()


def naive_jax():
    import jax

    return np.asarray(jax.image.resize(X, (1, 2, TO, TO), "bicubic", antialias=False))


def right_jax():
    import jax.numpy as jnp

    position = (np.arange(TO) + 0.5) * SIZE / TO - 0.5
    first = np.floor(position).astype(int) - 1
    weights = np.zeros((TO, SIZE), np.float32)
    for tap in range(4):
        distance, a = np.abs(position - first - tap), -0.75
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = ((distance - 5) * distance + 8) * distance * a - 4 * a
        weights[np.arange(TO), np.clip(first + tap, 0, SIZE - 1)] += np.where(distance <= 1, near, far)
    return np.asarray(jnp.einsum("ih,jw,nchw->ncij", weights, weights, X, precision="highest"))
