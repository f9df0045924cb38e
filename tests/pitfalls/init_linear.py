"""Linear layers start from different distributions

PyTorch: uniform within 1/sqrt(in). Paddle: Xavier uniform, by in and out. Flax: LeCun normal, 1.7 times as wide as
PyTorch's. Only PyTorch's bias is not zero.
"""

import math

import numpy as np

FROM = "torch"
LAYERS = ("Linear",)
SYMPTOMS = ("training-diverges",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/44751", "https://github.com/pytorch/pytorch/issues/42083")
BOUND = 1 / math.sqrt(256)
SAMPLES = 256 * 64


def source():
    import torch

    torch.manual_seed(0)
    return torch.nn.Linear(256, 64).weight.std().detach().numpy()


def naive_paddle():
    import paddle

    paddle.seed(0)
    return paddle.nn.Linear(256, 64).weight.std().numpy()


def right_paddle():
    import paddle

    paddle.seed(0)
    uniform = paddle.ParamAttr(initializer=paddle.nn.initializer.Uniform(-BOUND, BOUND))
    return paddle.nn.Linear(256, 64, weight_attr=uniform, bias_attr=uniform).weight.std().numpy()


def naive_flax():
    from flax import nnx

    return np.asarray(nnx.Linear(256, 64, rngs=nnx.Rngs(0)).kernel[...].std())


def right_flax():
    from flax import nnx

    uniform = nnx.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
    return np.asarray(nnx.Linear(256, 64, kernel_init=uniform, rngs=nnx.Rngs(0)).kernel[...].std())
