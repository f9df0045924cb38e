"""A kernel is transposed, not reshaped

OIHW to HWIO is a transpose by (2, 3, 1, 0). A reshape to the same shape raises nothing and scrambles the weights.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs", "loading-fails")
THREADS = ("https://github.com/apache/tvm/issues/5132", "https://github.com/microsoft/MMdnn/issues/394")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 3, 6, 5)).astype(np.float32)
W = rng.normal(0, 1, (4, 3, 3, 3)).astype(np.float32)  # OIHW
TERMS = 3 * 3 * 3


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W)).numpy()


def conv(kernel):
    from jax import lax

    layouts = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(X.transpose(0, 2, 3, 1), kernel, (1, 1), "VALID", dimension_numbers=layouts)
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_jax():
    return conv(W.reshape(3, 3, 3, 4))


def right_jax():
    return conv(W.transpose(2, 3, 1, 0))


def naive_flax():
    from flax import nnx

    layer = nnx.Conv(3, 4, (3, 3), padding="VALID", use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W.reshape(3, 3, 3, 4)
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    layer = nnx.Conv(3, 4, (3, 3), padding="VALID", use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
