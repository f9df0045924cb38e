"""The mean of the batches' accuracies is not the accuracy if the last batch is smaller

Count the right answers and divide once, as `paddle.metric.Accuracy` does. A loop in JAX often cuts the data to whole
batches, because each shape compiles again: the last samples are then left out. Pad the last batch and mask it. (The
numbers below are accuracies.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("accuracy-lower",)
THREADS = (
    "https://github.com/Lightning-AI/pytorch-lightning/issues/2924",
    "https://github.com/tensorflow/tensorflow/issues/27993",
)
COUNT = 10
BATCH = 4
HARMFUL = ({"COUNT": 9}, {"BATCH": 8})
HARMLESS = ({"COUNT": 8},)
rng = np.random.default_rng(2)
LOGITS = rng.normal(0, 1, (COUNT, 3)).astype(np.float32)
LABELS = rng.integers(0, 3, (COUNT, 1))


def source():
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.from_numpy(LOGITS), torch.from_numpy(LABELS))
    right = sum((logits.argmax(1) == labels[:, 0]).sum() for logits, labels in DataLoader(data, BATCH))
    return np.asarray(int(right) / COUNT, np.float32)


def batches():
    import paddle

    data = paddle.io.TensorDataset([paddle.to_tensor(LOGITS), paddle.to_tensor(LABELS)])
    return paddle.io.DataLoader(data, batch_size=BATCH)


def naive_paddle():
    import paddle

    return np.asarray(np.mean([paddle.metric.accuracy(*batch).item() for batch in batches()]), np.float32)


def right_paddle():
    import paddle

    metric = paddle.metric.Accuracy()
    for logits, labels in batches():
        metric.update(metric.compute(logits, labels))
    return np.asarray(metric.accumulate(), np.float32)


def source_paddle():
    return right_paddle()


def naive_jax():
    import jax.numpy as jnp

    whole = COUNT // BATCH * BATCH
    return np.asarray((jnp.argmax(LOGITS[:whole], 1) == LABELS[:whole, 0]).mean())


def right_jax():
    import jax.numpy as jnp

    missing = -COUNT % BATCH
    logits, labels = np.pad(LOGITS, ((0, missing), (0, 0))), np.pad(LABELS[:, 0], (0, missing), constant_values=-1)
    right = (jnp.argmax(logits, 1) == labels).reshape(-1, BATCH).sum(1)
    return np.asarray(right.sum() / COUNT)
