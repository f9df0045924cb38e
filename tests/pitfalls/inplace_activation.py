"""Paddle's activations have no `inplace`

`nn.ReLU(inplace=True)`, which nearly every PyTorch network writes, raises in Paddle 3.3.1, as do `ReLU6` and
`Hardswish`. Leave it out; the values are the same. `nn.ReLU(True)` does not raise: `True` becomes the layer's name.
"""

import numpy as np

FROM = "torch"
LAYERS = ("ReLU", "ReLU6", "Hardswish", "Hardsigmoid")
SYMPTOMS = ("raises",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/pull/74444",)
LAYER = "ReLU"
HARMFUL = ({"LAYER": "ReLU6"}, {"LAYER": "Hardswish"})
X = np.random.default_rng(0).normal(0, 3, (2, 3)).astype(np.float32)
TERMS = 4


def source():
    import torch

    return getattr(torch.nn, LAYER)(inplace=True)(torch.tensor(X)).numpy()


def naive_paddle():
    import paddle

    return getattr(paddle.nn, LAYER)(inplace=True)(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    return getattr(paddle.nn, LAYER)()(paddle.to_tensor(X)).numpy()
