"""The fifth argument of an average pool has the opposite meaning in Paddle

It is `count_include_pad` in PyTorch and `exclusive` in Paddle: `AvgPool2d(3, 2, 1, False, False)` leaves the padding
out of the mean in PyTorch and counts it in Paddle. Name the arguments: `count_include_pad=False` is `exclusive=True`.
(The fourth of MaxPool2D is `return_mask` in Paddle, which then returns a tuple.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("AvgPool2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/docs/pull/5750",)
X = np.random.default_rng(0).normal(0, 1, (1, 2, 6, 6)).astype(np.float32)
TERMS = 9


def source():
    import torch

    return torch.nn.AvgPool2d(3, 2, 1, False, False)(torch.from_numpy(X)).numpy()


def naive_paddle():
    import paddle

    return paddle.nn.AvgPool2D(3, 2, 1, False, False)(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.AvgPool2D(3, stride=2, padding=1, ceil_mode=False, exclusive=True)(paddle.to_tensor(X)).numpy()
