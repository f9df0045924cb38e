"""Flattening NHWC permutes what the linear layer reads

In PyTorch a linear layer after a flatten is trained on features in the order channel, row, column. NHWC flattens to
row, column, channel. Every shape fits. Move the channels to the front before the flatten, or permute the weight's rows
once.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Flatten", "Linear")
SYMPTOMS = ("layer-differs",)
THREADS = (
    "https://github.com/microsoft/MMdnn/issues/595",
    "https://github.com/microsoft/MMdnn/issues/250",
)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (2, 3, 4, 5)).astype(np.float32)
W = rng.normal(0, 1, (7, 3 * 4 * 5)).astype(np.float32)
TERMS = 3 * 4 * 5


def source():
    import torch

    return torch.nn.functional.linear(torch.from_numpy(X).flatten(1), torch.from_numpy(W)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.linear(paddle.to_tensor(X).flatten(1), paddle.to_tensor(W.T)).numpy()


def naive_jax():
    import jax.numpy as jnp

    x = jnp.asarray(X.transpose(0, 2, 3, 1))
    return np.asarray(x.reshape(len(x), -1) @ W.T)


def right_jax():
    import jax.numpy as jnp

    x = jnp.asarray(X.transpose(0, 2, 3, 1))
    return np.asarray(x.transpose(0, 3, 1, 2).reshape(len(x), -1) @ W.T)


def flax_linear(x):
    from flax import nnx

    layer = nnx.Linear(60, 7, use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W.T
    return np.asarray(layer(x))


def naive_flax():
    return flax_linear(X.transpose(0, 2, 3, 1).reshape(2, -1))


def right_flax():
    x = X.transpose(0, 2, 3, 1)
    return flax_linear(x.transpose(0, 3, 1, 2).reshape(2, -1))
