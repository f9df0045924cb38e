"""PyTorch's padding of a transposed convolution crops its output

In PyTorch and Paddle `padding=1` is the padding of the forward convolution: it *crops* the output of the transposed one
by 1 on each side. In JAX and Flax it is put around the stretched input: dilation · (kernel - 1) - padding gives
PyTorch's, and `output_padding` is added at the end. This holds for kernels smaller than the stride too.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("shape-differs",)
THREADS = ("https://github.com/google/flax/issues/1872", "https://github.com/jax-ml/jax/issues/11252")
KERNEL = 4
STRIDE = 2
DILATION = 1
PADDING = 1
EXTRA = 0  # output_padding
HARMFUL = (
    {"DILATION": 2},
    {"EXTRA": 1},
    {"KERNEL": 2, "STRIDE": 3, "EXTRA": 1},
    {"KERNEL": 1, "PADDING": 0, "EXTRA": 1},
    {"PADDING": 0},
)
HARMLESS = ({"KERNEL": 3},)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 4, 5)).astype(np.float32)
W = rng.normal(0, 1, (2, 3, KERNEL, KERNEL)).astype(np.float32)  # [in, out, kh, kw]
TERMS = 2 * KERNEL * KERNEL


def source():
    import torch

    x, w = torch.from_numpy(X), torch.from_numpy(W)
    y = torch.nn.functional.conv_transpose2d(
        x, w, stride=STRIDE, padding=PADDING, output_padding=EXTRA, dilation=DILATION
    )
    return y.numpy()


def source_paddle():
    import paddle

    x, w = paddle.to_tensor(X), paddle.to_tensor(W)
    y = paddle.nn.functional.conv2d_transpose(
        x, w, stride=STRIDE, padding=PADDING, output_padding=EXTRA, dilation=DILATION
    )
    return y.numpy()


def transposed(start, end):
    from jax import lax

    x, w = X.transpose(0, 2, 3, 1), W.transpose(2, 3, 1, 0)
    strides, dilations, sides = (STRIDE, STRIDE), (DILATION, DILATION), ((start, end), (start, end))
    y = lax.conv_transpose(x, w, strides, sides, rhs_dilation=dilations, transpose_kernel=True)
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_jax():
    return transposed(PADDING, PADDING)


def right_jax():
    side = DILATION * (KERNEL - 1) - PADDING
    return transposed(side, side + EXTRA)
