"""optax's losses have no `ignore_index` and no mean

They return one value for each sample. The mean that PyTorch takes is yours to take, and a label of -100 gives NaN. Give
ignored labels a class and a weight of 0.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("loss-differs", "training-diverges")
THREADS = ()
RELATED = ("https://github.com/google-deepmind/optax/pull/499", "https://github.com/facebookarchive/caffe2/issues/2247")
COUNT = 3
HARMFUL = ({"COUNT": 1},)
HARMLESS = ({"COUNT": 0},)
rng = np.random.default_rng(0)
LOGITS = rng.normal(0, 1, (8, 4)).astype(np.float32)
LABELS = rng.integers(0, 4, 8)
LABELS[:COUNT] = -100
TERMS = 8 * 4


def source():
    import torch

    return torch.nn.functional.cross_entropy(torch.from_numpy(LOGITS), torch.from_numpy(LABELS)).numpy()


def source_paddle():
    import paddle

    labels = paddle.to_tensor(np.where(LABELS == -100, 255, LABELS))  # a negative one would count in the mean
    return paddle.nn.functional.cross_entropy(paddle.to_tensor(LOGITS), labels, ignore_index=255).numpy()


def naive_jax():
    import optax

    loss = np.asarray(optax.softmax_cross_entropy_with_integer_labels(LOGITS, LABELS).mean())
    return np.nan_to_num(loss)  # NaN is shown as 0


def right_jax():
    import optax

    kept = LABELS != -100
    losses = optax.softmax_cross_entropy_with_integer_labels(LOGITS, np.where(kept, LABELS, 0))
    return np.asarray((losses * kept).sum() / kept.sum())
