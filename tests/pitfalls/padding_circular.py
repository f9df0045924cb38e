"""Flax's "CIRCULAR" and "REFLECT" keep the size; PyTorch pads by the number that you give

`nnx.Conv(padding="CIRCULAR")` pads by kernel - 1 in all, half on either side. For an odd kernel that is PyTorch's
`padding=kernel // 2, padding_mode="circular"`. For an even one PyTorch's output is larger by one. Pad with
`jnp.pad(..., mode="wrap")` and convolve with "VALID".
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("shape-differs",)
THREADS = ()
RELATED = ("https://github.com/google/flax/issues/2993",)
KERNEL = 4
HARMLESS = ({"KERNEL": 3},)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 6, 6)).astype(np.float32)
W = rng.normal(0, 1, (3, 2, KERNEL, KERNEL)).astype(np.float32)
TERMS = 2 * KERNEL * KERNEL


def source():
    import torch

    conv = torch.nn.Conv2d(2, 3, KERNEL, padding=KERNEL // 2, padding_mode="circular", bias=False)
    conv.weight.data = torch.from_numpy(W)
    return conv(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    import paddle

    conv = paddle.nn.Conv2D(2, 3, KERNEL, padding=KERNEL // 2, padding_mode="circular", bias_attr=False)
    conv.weight.set_value(W)
    return conv(paddle.to_tensor(X)).numpy()


def conv(x, padding):
    from flax import nnx

    layer = nnx.Conv(2, 3, (KERNEL, KERNEL), padding=padding, use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(layer(x)).transpose(0, 3, 1, 2)


def naive_flax():
    return conv(X.transpose(0, 2, 3, 1), "CIRCULAR")


def right_flax():
    import jax.numpy as jnp

    sides = (KERNEL // 2, KERNEL // 2)
    return conv(jnp.pad(X.transpose(0, 2, 3, 1), ((0, 0), sides, sides, (0, 0)), mode="wrap"), "VALID")
