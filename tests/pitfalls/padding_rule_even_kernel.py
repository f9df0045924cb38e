"""`(kernel - stride + 1) // 2` keeps the size of odd kernels only

This is a rule of published Paddle code. For kernel 2 and stride 1 it pads 1 on every side, and 4 x 4 becomes 5 x 5. To
keep the size, pad one row at the bottom and one column at the right.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("shape-differs",)
THREADS = ("https://github.com/pytorch/pytorch/issues/3867",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 3, 4, 4)).astype(np.float32)
W = rng.normal(0, 1, (3, 1, 2, 2)).astype(np.float32)
TERMS = 2 * 2


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W), padding="same", groups=3).numpy()


def naive_paddle():
    import paddle

    kernel, stride = 2, 1
    padding = (kernel - stride + 1) // 2
    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W), padding=padding, groups=3).numpy()


def right_paddle():
    import paddle

    top_bottom_left_right = [0, 1, 0, 1]
    return paddle.nn.functional.conv2d(
        paddle.to_tensor(X), paddle.to_tensor(W), padding=top_bottom_left_right, groups=3
    ).numpy()
