"""`jax.scipy.signal.convolve2d` flips the kernel

The convolution of deep learning is a cross-correlation. `jax.scipy.signal.convolve2d` convolves, as SciPy does: it
flips the kernel on both axes. Use `correlate2d`, or `lax.conv_general_dilated`.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/scipy/scipy/issues/23444", "https://github.com/scipy/scipy/issues/14369")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (6, 7)).astype(np.float32)
W = rng.normal(0, 1, (3, 3)).astype(np.float32)
TERMS = 3 * 3


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X)[None, None], torch.from_numpy(W)[None, None])[0, 0].numpy()


def source_paddle():
    import paddle

    x, w = paddle.to_tensor(X[None, None]), paddle.to_tensor(W[None, None])
    return paddle.nn.functional.conv2d(x, w)[0, 0].numpy()


def naive_jax():
    import jax.scipy.signal

    return np.asarray(jax.scipy.signal.convolve2d(X, W, mode="valid"))


def right_jax():
    import jax.scipy.signal

    return np.asarray(jax.scipy.signal.correlate2d(X, W, mode="valid"))
