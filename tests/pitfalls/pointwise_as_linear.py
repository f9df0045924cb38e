"""A pointwise convolution becomes a linear layer by a transpose, not by a reshape

A 1 x 1 kernel [out, in, 1, 1] without its two last axes is PyTorch's linear weight. Paddle's is [in, out]: a reshape
raises nothing where the channel counts are equal.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d", "Linear")
SYMPTOMS = ("layer-differs", "loading-fails")
THREADS = ("https://github.com/PaddlePaddle/docs/pull/5945",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (2, 6, 1, 1)).astype(np.float32)
W = rng.normal(0, 1, (6, 6, 1, 1)).astype(np.float32)
TERMS = 6


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W))[:, :, 0, 0].numpy()


def naive_paddle():
    import paddle

    return paddle.nn.functional.linear(paddle.to_tensor(X[:, :, 0, 0]), paddle.to_tensor(W.reshape(6, 6))).numpy()


def right_paddle():
    import paddle

    return paddle.nn.functional.linear(paddle.to_tensor(X[:, :, 0, 0]), paddle.to_tensor(W[:, :, 0, 0].T)).numpy()
