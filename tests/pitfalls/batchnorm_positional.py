"""BatchNorm's second and third arguments are swapped in Paddle

The layer is `nn.BatchNorm2d(c, eps, momentum)` in PyTorch and `nn.BatchNorm2D(c, momentum, epsilon)` in Paddle.
Positional arguments raise no error: 1e-3 becomes the momentum and 0.1 the epsilon, which shrinks the output.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("layer-differs", "evaluation-differs")
THREADS = ("https://github.com/PaddlePaddle/docs/pull/6125",)
X = np.random.default_rng(0).normal(0, 0.5, (2, 3, 4, 5)).astype(np.float32)
TERMS = 2 * 4 * 5


def source():
    import torch

    return torch.nn.BatchNorm2d(3, 1e-3, 0.1)(torch.from_numpy(X)).detach().numpy()


def naive_paddle():
    import paddle

    return paddle.nn.BatchNorm2D(3, 1e-3, 0.1)(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.BatchNorm2D(3, momentum=1 - 0.1, epsilon=1e-3)(paddle.to_tensor(X)).numpy()
