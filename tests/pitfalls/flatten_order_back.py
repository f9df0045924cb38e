"""A linear layer that was trained after NHWC expects row, column, channel

This is the flatten pitfall in the other direction: transpose NCHW to NHWC before the flatten, or permute the weight's
inputs once.
"""

import numpy as np

FROM = "flax"
LAYERS = ("Flatten", "Linear")
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/microsoft/MMdnn/issues/250",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (2, 3, 4, 5)).astype(np.float32)
W = rng.normal(0, 1, (4 * 5 * 3, 7)).astype(np.float32)
TERMS = 4 * 5 * 3


def source():
    from flax import nnx

    layer = nnx.Linear(60, 7, use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W
    return np.asarray(layer(X.transpose(0, 2, 3, 1).reshape(2, -1)))


def naive_torch():
    import torch

    return torch.nn.functional.linear(torch.from_numpy(X).flatten(1), torch.from_numpy(W.T)).numpy()


def right_torch():
    import torch

    x = torch.from_numpy(X).permute(0, 2, 3, 1)
    return torch.nn.functional.linear(x.flatten(1), torch.from_numpy(W.T)).numpy()


def naive_paddle():
    import paddle

    return paddle.nn.functional.linear(paddle.to_tensor(X).flatten(1), paddle.to_tensor(W)).numpy()


def right_paddle():
    import paddle

    x = paddle.to_tensor(X).transpose([0, 2, 3, 1])
    return paddle.nn.functional.linear(x.flatten(1), paddle.to_tensor(W)).numpy()
