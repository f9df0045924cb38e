"""Paddle's initial grouped kernels ignore the groups

An output of a grouped convolution sums over in / groups channels. Paddle's default divides by all `in` of them, so the
weights of a depthwise convolution of 64 channels start 8 times too small (against sqrt(2 / fan in)).
This holds for Paddle 3.3.1: Paddle#79711 (open) would make its default PyTorch's.
"""

import math

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("training-diverges",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/pull/79711", "https://github.com/ml-explore/mlx/issues/4536")
CHANNELS = 64
SAMPLES = CHANNELS * 11 * 11


def source():
    import torch

    torch.manual_seed(0)
    conv = torch.nn.Conv2d(CHANNELS, CHANNELS, 11, groups=CHANNELS)
    torch.nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return conv.weight.std().detach().numpy()


def naive_paddle():
    import paddle

    paddle.seed(0)
    return paddle.nn.Conv2D(CHANNELS, CHANNELS, 11, groups=CHANNELS).weight.std().numpy()


def right_paddle():
    import paddle

    paddle.seed(0)
    normal = paddle.nn.initializer.Normal(0, math.sqrt(2 / (11 * 11)))
    conv = paddle.nn.Conv2D(CHANNELS, CHANNELS, 11, groups=CHANNELS, weight_attr=paddle.ParamAttr(initializer=normal))
    return conv.weight.std().numpy()
