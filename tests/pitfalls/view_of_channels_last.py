"""`.view` of a map in `channels_last` raises in PyTorch

`channels_last` changes the order in memory and not the shape, so a `[n, c, h, w]` map cannot be seen as `[n, c * h *
w]` without a copy. `.view`, which never copies, raises; `.reshape` and `nn.Flatten` copy where they must. Paddle has no
such order in memory.
"""

import numpy as np

FROM = "paddle"
LAYERS = ("Flatten",)
SYMPTOMS = ("raises",)
THREADS = ("https://github.com/denisyarats/drq/pull/27", "https://github.com/pytorch/benchmark/pull/1367")
CHANNELS = 2
HARMFUL = ({"CHANNELS": 5},)
HARMLESS = ({"CHANNELS": 1},)
X = np.arange(2 * CHANNELS * 3 * 4, dtype=np.float32).reshape(2, CHANNELS, 3, 4)
TERMS = 1


def source():
    import paddle

    return paddle.to_tensor(X).view([2, -1]).numpy()


def naive_torch():
    import torch

    return torch.from_numpy(X).to(memory_format=torch.channels_last).view(2, -1).numpy()


def right_torch():
    import torch

    return torch.from_numpy(X).to(memory_format=torch.channels_last).reshape(2, -1).numpy()
