"""JAX and Flax return an empty array for a kernel larger than the map

PyTorch raises if a kernel does not fit the padded map, on one side or on both. JAX and Flax return an array with a side
of 0, whose mean is NaN and whose sum is 0: the error comes much later or never. Check the size: it plus the padding
must be at least dilation · (kernel - 1) + 1. (1 below means refused.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("shape-differs",)
THREADS = ()
RELATED = ("https://github.com/keras-team/keras/pull/22418",)
HEIGHT = 2
WIDTH = 2
KERNEL = 4
PADDING = 0
DILATION = 1
HARMFUL = ({"WIDTH": 6}, {"KERNEL": 3, "DILATION": 2})
HARMLESS = ({"PADDING": 1},)
X = np.ones((1, 1, HEIGHT, WIDTH), np.float32)


def source():
    import torch

    try:
        torch.nn.Conv2d(1, 1, KERNEL, padding=PADDING, dilation=DILATION)(torch.from_numpy(X))
    except RuntimeError:
        return np.array(1)
    return np.array(0)


def naive_jax():
    from jax import lax

    kernel, sides = np.ones((1, 1, KERNEL, KERNEL), np.float32), (PADDING, PADDING)
    try:
        lax.conv_general_dilated(X, kernel, (1, 1), (sides, sides), rhs_dilation=(DILATION, DILATION))
    except (TypeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_jax():
    reach = DILATION * (KERNEL - 1) + 1
    return np.array(0 if min(HEIGHT, WIDTH) + 2 * PADDING >= reach else 1)


def naive_flax():
    from flax import nnx

    conv = nnx.Conv(1, 1, (KERNEL, KERNEL), padding=PADDING, kernel_dilation=DILATION, rngs=nnx.Rngs(0))
    try:
        conv(X.transpose(0, 2, 3, 1))
    except (TypeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_flax():
    reach = DILATION * (KERNEL - 1) + 1
    return np.array(0 if min(HEIGHT, WIDTH) + 2 * PADDING >= reach else 1)
