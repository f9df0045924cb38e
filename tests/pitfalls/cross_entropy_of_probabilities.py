"""A softmax before the cross-entropy is applied twice

`cross_entropy` of PyTorch and Paddle and optax's `softmax_cross_entropy` take logits. A network that ends with a
softmax trains slowly and to a lower accuracy, and nothing is raised. Take the softmax out of the network for training,
or in Paddle write `use_softmax=False`. Here the source is PyTorch's loss of the logits.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Softmax",)
SYMPTOMS = ("loss-differs", "accuracy-lower")
THREADS = ("https://github.com/amdegroot/ssd.pytorch/issues/218", "https://github.com/tflearn/tflearn/pull/562")
rng = np.random.default_rng(0)
LOGITS = rng.normal(0, 2, (6, 4)).astype(np.float32)
LABELS = rng.integers(0, 4, 6)
TERMS = 6 * 4


def source():
    import torch

    return torch.nn.functional.cross_entropy(torch.from_numpy(LOGITS), torch.from_numpy(LABELS)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.cross_entropy(paddle.to_tensor(LOGITS), paddle.to_tensor(LABELS)).numpy()


def probabilities():
    """What the network's last layer, a softmax, returns."""
    import paddle

    return paddle.nn.functional.softmax(paddle.to_tensor(LOGITS))


def naive_paddle():
    import paddle

    return paddle.nn.functional.cross_entropy(probabilities(), paddle.to_tensor(LABELS)).numpy()


def right_paddle():
    import paddle

    return paddle.nn.functional.cross_entropy(probabilities(), paddle.to_tensor(LABELS), use_softmax=False).numpy()


def naive_jax():
    import jax
    import optax

    return np.asarray(optax.softmax_cross_entropy_with_integer_labels(jax.nn.softmax(LOGITS), LABELS).mean())


def right_jax():
    import optax

    return np.asarray(optax.softmax_cross_entropy_with_integer_labels(LOGITS, LABELS).mean())
