"""Paddle's cross-entropy counts ignored labels in the mean if `ignore_index` is negative

Labels of -100, the default of both, add nothing to the sum. PyTorch divides by the number of the other labels; Paddle
3.3.1 divides by all of them. With an `ignore_index` of 0 or more, such as 255, Paddle divides as PyTorch does. Divide
the sum yourself, or write 255 for -100.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("loss-differs", "training-diverges")
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/48663", "https://github.com/PaddlePaddle/Paddle/pull/76033")
IGNORED = -100
COUNT = 3
HARMFUL = ({"IGNORED": -1}, {"COUNT": 1})
HARMLESS = ({"IGNORED": 255}, {"COUNT": 0})
rng = np.random.default_rng(0)
LOGITS = rng.normal(0, 1, (8, 4)).astype(np.float32)
LABELS = rng.integers(0, 4, 8)
LABELS[:COUNT] = IGNORED
TERMS = 8 * 4


def source():
    import torch

    loss = torch.nn.functional.cross_entropy(torch.from_numpy(LOGITS), torch.from_numpy(LABELS), ignore_index=IGNORED)
    return loss.numpy()


def loss(reduction):
    import paddle

    logits, labels = paddle.to_tensor(LOGITS), paddle.to_tensor(LABELS)
    return paddle.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction=reduction).numpy()


def naive_paddle():
    return loss("mean")


def right_paddle():
    return loss("sum") / np.float32((LABELS != IGNORED).sum())
