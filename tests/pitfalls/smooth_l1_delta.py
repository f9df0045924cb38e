"""Paddle's `smooth_l1_loss(delta=...)` is the Huber loss, PyTorch's `beta` divides it

The two agree for 1. For another threshold Paddle's loss is `delta` times PyTorch's. Write `is_huber=False`, or divide
by `delta`.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("loss-differs", "training-diverges")
THREADS = ("https://github.com/PaddlePaddle/Paddle/pull/73416",)
BETA = 2.0
HARMFUL = ({"BETA": 0.5},)
HARMLESS = ({"BETA": 1.0},)
X = np.array([0.3, -1.5, 4.0], np.float32)
TERMS = 3


def source():
    import torch

    return torch.nn.functional.smooth_l1_loss(torch.from_numpy(X), torch.zeros(3), beta=BETA).numpy()


def loss(**options):
    import paddle

    return paddle.nn.functional.smooth_l1_loss(paddle.to_tensor(X), paddle.zeros([3]), delta=BETA, **options).numpy()


def naive_paddle():
    return loss()


def right_paddle():
    return loss(is_huber=False)
