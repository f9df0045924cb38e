"""`dim=1` is the channels in NCHW and the rows in NHWC

In PyTorch a concatenation on axis 1 joins GhostNet's two halves as channels. In NHWC it puts one map below the other.
Means over (2, 3) and slices of axis 1 go wrong in the same way.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Concat", "ChannelSlice", "GlobalAvgPool2d", "Add")
SYMPTOMS = ("shape-differs", "layer-differs")
THREADS = ("https://github.com/gmalivenko/pytorch2keras/issues/131",)
X = np.random.default_rng(0).normal(0, 1, (1, 3, 4, 5)).astype(np.float32)


def source():
    import torch

    x = torch.from_numpy(X)
    return torch.cat([x, 2 * x], dim=1).numpy()


def source_paddle():
    import paddle

    x = paddle.to_tensor(X)
    return paddle.concat([x, 2 * x], axis=1).numpy()


def naive_jax():
    import jax.numpy as jnp

    x = jnp.asarray(X.transpose(0, 2, 3, 1))
    return np.asarray(jnp.concatenate([x, 2 * x], axis=1)).transpose(0, 3, 1, 2)


def right_jax():
    import jax.numpy as jnp

    x = jnp.asarray(X.transpose(0, 2, 3, 1))
    return np.asarray(jnp.concatenate([x, 2 * x], axis=-1)).transpose(0, 3, 1, 2)
