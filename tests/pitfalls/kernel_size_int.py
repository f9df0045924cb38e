"""`nnx.Conv(..., kernel_size=3)` is a convolution in one dimension

PyTorch and Paddle read an int as (3, 3). Flax makes a kernel of one dimension, which slides along the width only: it
counts the rows of an image as part of the batch. Nothing is raised, the shape is right, and the kernel has a third of
the weights. A published benchmark of depthwise convolutions (see the thread) does this.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("shape-differs", "counts-differ")
THREADS = ("https://github.com/google/flax/issues/4207", "https://github.com/google/flax/issues/1234")


def source():
    import torch

    return np.array(torch.nn.Conv2d(4, 5, 3, padding=1, bias=False).weight.numel())


def source_paddle():
    import paddle

    return np.array(paddle.nn.Conv2D(4, 5, 3, padding=1, bias_attr=False).weight.size)


def naive_flax():
    from flax import nnx

    conv = nnx.Conv(4, 5, kernel_size=3, padding=1, use_bias=False, rngs=nnx.Rngs(0))
    assert conv(np.ones((2, 8, 8, 4), np.float32)).shape == (2, 8, 8, 5)
    return np.array(conv.kernel.size)


def right_flax():
    from flax import nnx

    conv = nnx.Conv(4, 5, kernel_size=(3, 3), padding=1, use_bias=False, rngs=nnx.Rngs(0))
    return np.array(conv.kernel.size)
