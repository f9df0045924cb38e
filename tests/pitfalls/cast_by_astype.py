"""`Layer.astype` casts nothing

`module.double()` casts every array of a PyTorch module. Paddle's `astype` only changes the dtype that the layer
reports: the arrays of the layer and of its sublayers stay as they were. `to(dtype=...)` casts all. (Below: how many
arrays are float64.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/76614",)


def source():
    import torch

    model = torch.nn.Sequential(torch.nn.Conv2d(2, 2, 1), torch.nn.Conv2d(2, 2, 1))
    return np.array(sum(p.dtype == torch.float64 for p in model.double().parameters()))


def model():
    import paddle

    return paddle.nn.Sequential(paddle.nn.Conv2D(2, 2, 1), paddle.nn.Conv2D(2, 2, 1))


def naive_paddle():
    import paddle

    return np.array(sum(p.dtype == paddle.float64 for p in model().astype("float64").parameters()))


def right_paddle():
    import paddle

    return np.array(sum(p.dtype == paddle.float64 for p in model().to(dtype="float64").parameters()))
