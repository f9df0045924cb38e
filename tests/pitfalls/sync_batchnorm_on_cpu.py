"""Paddle's SyncBatchNorm has no CPU kernel, not even for evaluation

PyTorch's falls back to an ordinary BatchNorm in a process of its own. A Paddle network that was trained on many GPUs
and is loaded on a CPU raises. Its arrays have the same names in `BatchNorm2D`: build the network with that. What
SyncBatchNorm computes on many GPUs was not run.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("raises",)
THREADS = ("https://github.com/PaddlePaddle/PaddleX/issues/2553", "https://github.com/PaddlePaddle/Paddle/issues/32037")
TRAINING = False
HARMFUL = ({"TRAINING": True},)
X = np.random.default_rng(0).normal(0, 1, (2, 3, 4, 4)).astype(np.float32)
TERMS = 2 * 4 * 4


def source():
    import torch

    return torch.nn.SyncBatchNorm(3).train(TRAINING)(torch.from_numpy(X)).detach().numpy()


def normalised(norm):
    import paddle

    norm.train() if TRAINING else norm.eval()
    return norm(paddle.to_tensor(X)).numpy()


def naive_paddle():
    import paddle

    return normalised(paddle.nn.SyncBatchNorm(3))


def right_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3)
    norm.set_state_dict(paddle.nn.SyncBatchNorm(3).state_dict())
    return normalised(norm)
