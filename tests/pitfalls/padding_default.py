"""`nnx.Conv` pads by default

PyTorch and Paddle pad nothing by default. Flax's default is "SAME": the map keeps its size, and every layer after it
gets a map of another size.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("shape-differs",)
THREADS = ("https://github.com/google/flax/issues/2993",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 7, 6)).astype(np.float32)
W = rng.normal(0, 1, (3, 2, 3, 3)).astype(np.float32)
TERMS = 2 * 3 * 3


def source():
    import torch

    conv = torch.nn.Conv2d(2, 3, 3, bias=False)
    conv.weight.data = torch.from_numpy(W)
    return conv(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    import paddle

    conv = paddle.nn.Conv2D(2, 3, 3, bias_attr=False)
    conv.weight.set_value(W)
    return conv(paddle.to_tensor(X)).numpy()


def naive_flax():
    from flax import nnx

    conv = nnx.Conv(2, 3, (3, 3), use_bias=False, rngs=nnx.Rngs(0))
    conv.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(conv(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    conv = nnx.Conv(2, 3, (3, 3), padding="VALID", use_bias=False, rngs=nnx.Rngs(0))
    conv.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(conv(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
