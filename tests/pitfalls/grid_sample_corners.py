"""`grid_sample` and `affine_grid` align the corners by default in Paddle, not in PyTorch

`align_corners` is False in PyTorch since 1.3 and True in Paddle. Write it in both calls.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/pytorch/pytorch/pull/23923", "https://github.com/kornia/kornia/issues/388")
SIZE = 5
HARMFUL = ({"SIZE": 2},)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)
THETA = np.array([[[0.9, 0.2, 0.1], [-0.1, 0.8, 0.0]]], np.float32)
TERMS = 4 * SIZE


def source():
    import torch.nn.functional as F
    from torch import from_numpy

    grid = F.affine_grid(from_numpy(THETA), X.shape, align_corners=False)
    return F.grid_sample(from_numpy(X), grid, align_corners=False).numpy()


def sampled(**options):
    import paddle
    import paddle.nn.functional as F

    grid = F.affine_grid(paddle.to_tensor(THETA), list(X.shape), **options)
    return F.grid_sample(paddle.to_tensor(X), grid, **options).numpy()


def naive_paddle():
    return sampled()


def right_paddle():
    return sampled(align_corners=False)
