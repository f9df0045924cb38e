"""Convolutions start from different distributions

PyTorch draws uniformly within 1/sqrt(fan in): the standard deviation is 0.58/sqrt(fan in). Paddle draws from a normal
distribution of 1.41/sqrt(fan in), 2.45 times as wide; Flax from LeCun's normal distribution of 1/sqrt(fan in). A
network without norms may train in one framework and diverge in another.
This holds for Paddle 3.3.1: Paddle#79711 (open) would make its default PyTorch's.
"""

import math

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("training-diverges",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/79706", "https://github.com/PaddlePaddle/Paddle/issues/40547")
FAN_IN = 64 * 3 * 3
BOUND = 1 / math.sqrt(FAN_IN)
SAMPLES = 128 * FAN_IN  # the outcome is the standard deviation of so many draws


def source():
    import torch

    torch.manual_seed(0)
    return torch.nn.Conv2d(64, 128, 3).weight.std().detach().numpy()


def naive_paddle():
    import paddle

    paddle.seed(0)
    return paddle.nn.Conv2D(64, 128, 3).weight.std().numpy()


def right_paddle():
    import paddle

    paddle.seed(0)
    uniform = paddle.ParamAttr(initializer=paddle.nn.initializer.Uniform(-BOUND, BOUND))
    return paddle.nn.Conv2D(64, 128, 3, weight_attr=uniform, bias_attr=uniform).weight.std().numpy()


def naive_flax():
    from flax import nnx

    return np.asarray(nnx.Conv(64, 128, (3, 3), rngs=nnx.Rngs(0)).kernel[...].std())


def right_flax():
    from flax import nnx

    uniform = nnx.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
    return np.asarray(nnx.Conv(64, 128, (3, 3), kernel_init=uniform, rngs=nnx.Rngs(0)).kernel[...].std())
