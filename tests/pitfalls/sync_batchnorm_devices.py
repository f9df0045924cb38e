"""Flax's BatchNorm normalises each device's part of the batch alone unless it has an `axis_name`

PyTorch's `SyncBatchNorm` takes the mean and variance of the whole batch. In Flax name the axis of `jax.pmap` or
`jax.vmap` in both. Under `jax.jit` with sharded arrays the batch is one array, and the statistics are those of all. The
devices below are a `jax.vmap` on one CPU, and PyTorch's is an ordinary BatchNorm of the whole batch: many devices were
not run.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/google/flax/issues/319", "https://github.com/google/flax/issues/877")
DEVICES = 2
HARMFUL = ({"DEVICES": 4},)
HARMLESS = ({"DEVICES": 1},)
X = np.random.default_rng(0).normal(0, 1, (4, 3, 2, 2)).astype(np.float32)
TERMS = 4 * 2 * 2


def source():
    import torch

    return torch.nn.BatchNorm2d(3)(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    import paddle

    return paddle.nn.BatchNorm2D(3)(paddle.to_tensor(X)).numpy()


def parallel(**options):
    import jax
    from flax import nnx

    definition, state = nnx.split(nnx.BatchNorm(3, use_fast_variance=False, rngs=nnx.Rngs(0), **options))
    parts = X.transpose(0, 2, 3, 1).reshape(DEVICES, -1, 2, 2, 3)
    apply = jax.vmap(lambda state, part: nnx.merge(definition, state)(part), in_axes=(None, 0), axis_name="devices")
    y = apply(state, parts)
    return np.asarray(y).reshape(4, 2, 2, 3).transpose(0, 3, 1, 2)


def naive_flax():
    return parallel()


def right_flax():
    return parallel(axis_name="devices")
