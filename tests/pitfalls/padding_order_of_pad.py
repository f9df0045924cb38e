"""`F.pad` with two numbers for each axis starts with the first axis in Paddle

For an array of rank 4 and four numbers, both frameworks pad the last axis first. With eight numbers PyTorch still
starts with the last axis; Paddle starts with the first, unless you write `pad_from_left_axis=False`.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs", "shape-differs")
THREADS = ("https://github.com/pytorch/pytorch/issues/153854",)
PADS = (0, 1, 0, 0, 0, 0, 1, 0)
HARMFUL = ({"PADS": (1, 1, 0, 0, 0, 0, 0, 0)},)
HARMLESS = ({"PADS": (0, 1, 1, 0)}, {"PADS": (1, 1, 1, 1, 1, 1, 1, 1)})
X = np.random.default_rng(0).normal(0, 1, (2, 1, 2, 3)).astype(np.float32)


def source():
    import torch

    return torch.nn.functional.pad(torch.from_numpy(X), PADS).numpy()


def naive_paddle():
    import paddle

    return paddle.nn.functional.pad(paddle.to_tensor(X), list(PADS)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.functional.pad(paddle.to_tensor(X), list(PADS), pad_from_left_axis=False).numpy()
