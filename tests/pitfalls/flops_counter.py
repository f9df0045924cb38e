"""`paddle.flops` raises under NumPy 2.4; where it runs, it counts MACs and biases

PyTorch's FlopCounterMode counts 2 for a multiply-accumulate. `paddle.flops` fails with NumPy 2.4 and later, which no
longer turns an array of one element into an int. By its source its figure of a convolution is its MACs, plus 1 for each
output value with a bias; a BatchNorm adds 2 for each value. Count from the shapes.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("raises", "counts-differ")
THREADS = ("https://github.com/PaddlePaddle/Paddle/pull/77010", "https://github.com/facebookresearch/fvcore/issues/69")
SHAPE = (1, 6, 8, 8)


def source():
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        torch.nn.Conv2d(6, 10, 3, bias=False)(torch.ones(SHAPE))
    return np.array(counter.get_total_flops())


def naive_paddle():
    import paddle

    return np.array(paddle.flops(paddle.nn.Sequential(paddle.nn.Conv2D(6, 10, 3, bias_attr=False)), list(SHAPE)))


def right_paddle():
    import paddle

    conv = paddle.nn.Conv2D(6, 10, 3, bias_attr=False)
    y = conv(paddle.ones(SHAPE))
    macs = y.size * conv.weight.size // conv.weight.shape[0]
    return np.array(2 * macs)
