"""Without `groups` a depthwise convolution is a full one

A depthwise convolution is one with as many groups as channels, and has no name of its own in PyTorch, Paddle and Flax.
Without `groups` it runs and keeps the channel count, but has k·k·C·C weights instead of k·k·C. Only the number of
weights shows the mistake.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("counts-differ", "slower")
THREADS = ("https://github.com/pytorch/pytorch/issues/3618",)
RELATED = ("https://github.com/microsoft/CNTK/issues/3823",)


def source():
    import torch

    return np.array(torch.nn.Conv2d(6, 6, 3, groups=6, bias=False).weight.numel())


def source_paddle():
    return right_paddle()


def naive_paddle():
    import paddle

    return np.array(paddle.nn.Conv2D(6, 6, 3, bias_attr=False).weight.size)


def right_paddle():
    import paddle

    return np.array(paddle.nn.Conv2D(6, 6, 3, groups=6, bias_attr=False).weight.size)


def naive_flax():
    from flax import nnx

    return np.array(nnx.Conv(6, 6, (3, 3), use_bias=False, rngs=nnx.Rngs(0)).kernel.size)


def right_flax():
    from flax import nnx

    conv = nnx.Conv(6, 6, (3, 3), feature_group_count=6, use_bias=False, rngs=nnx.Rngs(0))
    return np.array(conv.kernel.size)
