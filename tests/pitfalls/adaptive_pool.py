"""Flax has no adaptive pool: a window of size / out is right only if it divides

`AdaptiveAvgPool2d(3)` of 7 x 7 takes windows 0-2, 2-4, 4-6, which overlap. A pool of window and stride 7 // 3 has
others, drops the last row, and has the same shape. Window i goes from floor(i · size / out) to ceil((i + 1) · size /
out). PyTorch and Paddle agree.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/patrick-kidger/equinox/issues/121",)
RELATED = ("https://github.com/flagos-ai/FlagGems/issues/4915",)
SIZE = 7
OUT = 3
HARMFUL = ({"SIZE": 5},)
HARMLESS = ({"SIZE": 6}, {"OUT": 1})
X = np.random.default_rng(0).normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)
TERMS = SIZE * SIZE


def source():
    import torch

    return torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(X), OUT).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.adaptive_avg_pool2d(paddle.to_tensor(X), OUT).numpy()


def naive_flax():
    from flax import nnx

    window = (SIZE // OUT, SIZE // OUT)
    return np.asarray(nnx.avg_pool(X.transpose(0, 2, 3, 1), window, window)).transpose(0, 3, 1, 2)


def right_flax():
    import jax.numpy as jnp

    weights = np.zeros((OUT, SIZE), np.float32)
    for i in range(OUT):
        first, last = i * SIZE // OUT, -(-(i + 1) * SIZE // OUT)
        weights[i, first:last] = 1 / (last - first)
    y = jnp.einsum("ih,jw,nhwc->nijc", weights, weights, X.transpose(0, 2, 3, 1), precision="highest")
    return np.asarray(y).transpose(0, 3, 1, 2)
