"""PyTorch's padding of a transposed convolution crops its output

In PyTorch and Paddle `padding=1` is the padding of the forward convolution: it *crops* the output of the transposed one
by 1 on each side. In JAX and Flax it is put around the stretched input: kernel - 1 - padding gives PyTorch's.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
THREADS = ("https://github.com/google/flax/issues/1872", "https://github.com/jax-ml/jax/issues/11252")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 4, 5)).astype(np.float32)
W = rng.normal(0, 1, (2, 3, 4, 4)).astype(np.float32)  # [in, out, kh, kw]
TERMS = 2 * 4 * 4


def source():
    import torch

    return torch.nn.functional.conv_transpose2d(torch.from_numpy(X), torch.from_numpy(W), stride=2, padding=1).numpy()


def transposed(padding):
    from jax import lax

    sides = ((padding, padding), (padding, padding))
    y = lax.conv_transpose(X.transpose(0, 2, 3, 1), W.transpose(2, 3, 1, 0), (2, 2), sides, transpose_kernel=True)
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_jax():
    return transposed(1)


def right_jax():
    return transposed(4 - 1 - 1)
