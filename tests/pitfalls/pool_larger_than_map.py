"""Paddle's pools return a number for a window larger than the map

PyTorch raises. Paddle returns one value, as if the window had been cut to the map, and nothing says that the network is
too deep for its input. Check: size + 2 · padding must be at least the window. (1 below means refused.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("AvgPool2d",)
SYMPTOMS = ("shape-differs",)
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/Paddle/issues/64838",)
SIZE = 2
WINDOW = 4
HARMFUL = ({"SIZE": 1, "WINDOW": 2}, {"SIZE": 3})
HARMLESS = ({"SIZE": 4},)
X = np.ones((1, 1, SIZE, SIZE), np.float32)


def source():
    import torch

    try:
        torch.nn.functional.avg_pool2d(torch.from_numpy(X), WINDOW)
    except RuntimeError:
        return np.array(1)
    return np.array(0)


def naive_paddle():
    import paddle

    try:
        paddle.nn.functional.avg_pool2d(paddle.to_tensor(X), WINDOW)
    except (RuntimeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_paddle():
    return np.array(0 if SIZE >= WINDOW else 1)
