"""Flax normalises the last axis, whatever it is

With NCHW arrays, Flax normalises by column instead of by channel. If the width equals the channel count, every shape
fits and nothing is raised. Move the channels last, or set `axis`.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("layer-differs",)
THREADS = (
    "https://github.com/dblN/stochastic_depth_keras/issues/1",
    "https://github.com/sharathadavanne/seld-dcase2021/issues/8",
)
X = (np.random.default_rng(0).normal(0, 1, (2, 4, 3, 4)) * np.arange(1, 5).reshape(4, 1, 1)).astype(np.float32)
TERMS = 2 * 3 * 4


def source():
    import torch

    return torch.nn.BatchNorm2d(4)(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    import paddle

    return paddle.nn.BatchNorm2D(4)(paddle.to_tensor(X)).numpy()


def naive_flax():
    from flax import nnx

    return np.asarray(nnx.BatchNorm(4, rngs=nnx.Rngs(0))(X))


def right_flax():
    from flax import nnx

    norm = nnx.BatchNorm(4, rngs=nnx.Rngs(0))
    return np.asarray(norm(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
