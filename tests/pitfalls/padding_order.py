"""The `padding` of Paddle's convolution is not in the order of `F.pad`

PyTorch's `F.pad` starts with the last axis: (left, right, top, bottom). Paddle's convolution takes [top, bottom, left,
right]. The same four numbers pad other sides. Paddle's own `F.pad` with four numbers is in PyTorch's order ([with eight
it is not](padding_order_of_pad.md)).
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/pytorch/pytorch/pull/37881", "https://github.com/pytorch/pytorch/issues/153854")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 6, 6)).astype(np.float32)
W = rng.normal(0, 1, (3, 2, 3, 3)).astype(np.float32)
LEFT = 0
RIGHT = 1
TOP = 1
BOTTOM = 0
HARMFUL = ({"LEFT": 1},)
HARMLESS = ({"TOP": 0, "BOTTOM": 1},)
TERMS = 2 * 3 * 3


def source():
    import torch

    x = torch.nn.functional.pad(torch.from_numpy(X), (LEFT, RIGHT, TOP, BOTTOM))
    return torch.nn.functional.conv2d(x, torch.from_numpy(W)).numpy()


def conv(padding):
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W), padding=padding).numpy()


def naive_paddle():
    return conv([LEFT, RIGHT, TOP, BOTTOM])


def right_paddle():
    return conv([TOP, BOTTOM, LEFT, RIGHT])
