"""Paddle's BatchNorm and LayerNorm round epsilon to float32, even in float64

In Paddle 3.3.1 epsilon is an attribute of these kernels, of type float; GroupNorm's is not rounded. A float64 layer
therefore adds 9.999999747378752e-06 instead of 1e-5, and a comparison in float64 agrees to ten digits only. Where that
matters, write the norm with elementary operations.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/Paddle/pull/78321",)
X = np.random.default_rng(0).normal(0, 0.05, (2, 3, 4, 5))
TERMS = 2 * 4 * 5


def source():
    import torch

    norm = torch.nn.BatchNorm2d(3, eps=1e-5).double()
    return norm(torch.from_numpy(X)).detach().numpy()


def naive_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3, epsilon=1e-5).to(dtype="float64")
    return norm(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    x = paddle.to_tensor(X)
    mean = x.mean((0, 2, 3), keepdim=True)
    var = (x - mean).square().mean((0, 2, 3), keepdim=True)
    return ((x - mean) / paddle.sqrt(var + 1e-5)).numpy()
