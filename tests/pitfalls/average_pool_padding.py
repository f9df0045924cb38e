"""Paddle's average pool leaves the padding out of the mean

PyTorch's default is `count_include_pad=True`. Paddle's is `exclusive=True`, which is the opposite. At a corner with a
window of 3 and padding 1, PyTorch divides by 9 and Paddle by 4.
"""

import numpy as np

FROM = "torch"
LAYERS = ("AvgPool2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/36920",)
X = np.random.default_rng(0).uniform(1, 2, (1, 2, 6, 5)).astype(np.float32)
TERMS = 3 * 3


def source():
    import torch

    return torch.nn.AvgPool2d(3, stride=2, padding=1)(torch.from_numpy(X)).numpy()


def naive_paddle():
    import paddle

    return paddle.nn.AvgPool2D(3, stride=2, padding=1)(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.AvgPool2D(3, stride=2, padding=1, exclusive=False)(paddle.to_tensor(X)).numpy()
