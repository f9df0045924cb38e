"""Paddle may return a negative size, raise, or crash for a kernel larger than the map

PyTorch raises if a kernel does not fit the padded map. Paddle 3.3.1 on a CPU raises when it runs if one side is too
small. If both are, it returns a tensor of negative size, or ends the process: a kernel of 6 with padding 1 on 2 x 2
corrupted its memory, and `.numpy()` of the tensor ended in a segmentation fault. The port below is therefore only asked
for its shape. Check both sides yourself: size + 2 · padding must be at least dilation · (kernel - 1) + 1. (1 below
means refused.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("shape-differs", "raises")
THREADS = (
    "https://github.com/PaddlePaddle/Paddle/issues/64838",
    "https://github.com/PaddlePaddle/Paddle/issues/64721",
)
HEIGHT = 2
WIDTH = 2
KERNEL = 4
PADDING = 0
DILATION = 1
HARMFUL = ({"PADDING": 1, "KERNEL": 6}, {"KERNEL": 3, "DILATION": 2}, {"WIDTH": 6})
HARMLESS = ({"PADDING": 1}, {"HEIGHT": 4, "WIDTH": 6})
X = np.ones((1, 1, HEIGHT, WIDTH), np.float32)


def source():
    import torch

    try:
        torch.nn.Conv2d(1, 1, KERNEL, padding=PADDING, dilation=DILATION)(torch.from_numpy(X))
    except RuntimeError:
        return np.array(1)
    return np.array(0)


def naive_paddle():
    import paddle

    conv = paddle.nn.Conv2D(1, 1, KERNEL, padding=PADDING, dilation=DILATION)
    shape = paddle.static.InputSpec([1, 1, HEIGHT, WIDTH])
    try:
        program = paddle.jit.to_static(conv.forward, [shape], full_graph=True).concrete_program  # runs nothing
    except (RuntimeError, ValueError):
        return np.array(1)
    return np.array(0 if program.outputs else 1)


def right_paddle():
    reach = DILATION * (KERNEL - 1) + 1
    return np.array(0 if min(HEIGHT, WIDTH) + 2 * PADDING >= reach else 1)
