"""Label smoothing with `ignore_index` raises in Paddle, or divides by samples times classes

With an ignored label of 255 Paddle 3.3.1 raises; PyTorch leaves the label out. If no label is ignored but
`ignore_index` is 0 or more, Paddle's mean divides by the number of classes too. Class weights with smoothing are
another difference: PyTorch weighs the share of each class, Paddle that of the label's class alone. Write the loss
yourself.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("loss-differs", "raises")
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/Paddle/issues/23708", "https://github.com/pytorch/pytorch/issues/73205")
IGNORED = 255
COUNT = 3
SMOOTHING = 0.1
HARMFUL = ({"COUNT": 0}, {"IGNORED": -100})
HARMLESS = ({"COUNT": 0, "IGNORED": -100},)
rng = np.random.default_rng(0)
LOGITS = rng.normal(0, 1, (8, 4)).astype(np.float32)
LABELS = rng.integers(0, 4, 8)
LABELS[:COUNT] = IGNORED
TERMS = 8 * 4


def source():
    import torch

    logits, labels = torch.from_numpy(LOGITS), torch.from_numpy(LABELS)
    loss = torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, label_smoothing=SMOOTHING)
    return loss.numpy()


def naive_paddle():
    import paddle

    logits, labels = paddle.to_tensor(LOGITS), paddle.to_tensor(LABELS)
    return paddle.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, label_smoothing=SMOOTHING).numpy()


def right_paddle():
    import paddle

    kept = LABELS != IGNORED
    logs = paddle.nn.functional.log_softmax(paddle.to_tensor(LOGITS[kept]))
    shares = np.eye(4, dtype=np.float32)[LABELS[kept]] * (1 - SMOOTHING) + SMOOTHING / 4
    return (-(paddle.to_tensor(shares) * logs).sum() / kept.sum()).numpy()
