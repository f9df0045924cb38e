"""`nnx.Conv(..., kernel_size=3)` is a convolution in one dimension

PyTorch and Paddle read an int as (3, 3). Flax makes a kernel of rank one, and takes the rows of an image for more of
the batch: it slides along the width only. No error, the right shape, a third of the weights. A published benchmark of
depthwise convolutions (the thread) does this.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
THREADS = ("https://github.com/google/flax/issues/4207", "https://github.com/google/flax/issues/1234")


def source():
    import torch

    return np.array(torch.nn.Conv2d(4, 5, 3, padding=1, bias=False).weight.numel())


def naive_flax():
    from flax import nnx

    conv = nnx.Conv(4, 5, kernel_size=3, padding=1, use_bias=False, rngs=nnx.Rngs(0))
    assert conv(np.ones((2, 8, 8, 4), np.float32)).shape == (2, 8, 8, 5)
    return np.array(conv.kernel.size)


def right_flax():
    from flax import nnx

    conv = nnx.Conv(4, 5, kernel_size=(3, 3), padding=1, use_bias=False, rngs=nnx.Rngs(0))
    return np.array(conv.kernel.size)
