"""Paddle's cross-entropy takes the last axis for the classes, PyTorch's axis 1

For logits of rank 2 they are the same axis. For a segmentation map [N, C, H, W] Paddle takes the columns for classes.
It raises unless C, H and W are equal; then it returns another number. Write `axis=1`.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("loss-differs", "raises")
THREADS = ("https://github.com/PFCCLab/PaddleAPITest/pull/679",)
SHAPE = (2, 4, 4, 4)
HARMFUL = ({"SHAPE": (2, 3, 4, 4)}, {"SHAPE": (2, 4, 4)})
HARMLESS = ({"SHAPE": (6, 4)},)
rng = np.random.default_rng(0)
LOGITS = rng.normal(0, 1, SHAPE).astype(np.float32)
LABELS = rng.integers(0, SHAPE[1], (SHAPE[0], *SHAPE[2:]))
TERMS = 2 * 4 * 4 * 4


def source():
    import torch

    return torch.nn.functional.cross_entropy(torch.from_numpy(LOGITS), torch.from_numpy(LABELS)).numpy()


def naive_paddle():
    import paddle

    return paddle.nn.functional.cross_entropy(paddle.to_tensor(LOGITS), paddle.to_tensor(LABELS)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.functional.cross_entropy(paddle.to_tensor(LOGITS), paddle.to_tensor(LABELS), axis=1).numpy()
