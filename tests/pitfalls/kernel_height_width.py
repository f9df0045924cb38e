"""A square kernel hides swapped height and width

The transpose (3, 2, 1, 0) gives WHIO instead of HWIO. With a square kernel every shape fits and only the numbers are
wrong.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/tensorflow/tensorflow/issues/30044",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 3, 6, 5)).astype(np.float32)
W = rng.normal(0, 1, (4, 3, 3, 3)).astype(np.float32)  # OIHW
TERMS = 3 * 3 * 3


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W)).numpy()


def conv(kernel):
    from jax import lax

    layouts = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(X.transpose(0, 2, 3, 1), kernel, (1, 1), "VALID", dimension_numbers=layouts)
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_jax():
    return conv(W.T)


def right_jax():
    return conv(W.transpose(2, 3, 1, 0))
