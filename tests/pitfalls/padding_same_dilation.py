"""Paddle's `padding="SAME"` sets the dilation to 1

With `padding="SAME"` Paddle ignores `dilation` and warns of nothing: the shape is right and the kernel is not spread.
This holds for Conv1D and Conv2D, the layer and the function, with and without groups. PyTorch, JAX and Flax spread the
kernel. Give the padding in numbers: dilation · (kernel - 1) / 2 for an odd kernel and stride 1. "VALID" is not
affected.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ()
RELATED = (
    "https://github.com/PaddlePaddle/Paddle2ONNX/issues/1356",
    "https://github.com/PaddlePaddle/Paddle/pull/36474",
)
DILATION = 2
KERNEL = 3
GROUPS = 1
SIZE = 9
HARMFUL = ({"DILATION": 3}, {"KERNEL": 5}, {"GROUPS": 2}, {"SIZE": 4})
HARMLESS = ({"DILATION": 1}, {"KERNEL": 1}, {"SIZE": 1})
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)
W = rng.normal(0, 1, (4, 2 // GROUPS, KERNEL, KERNEL)).astype(np.float32)
TERMS = 2 * KERNEL * KERNEL


def source():
    import torch

    x, w = torch.from_numpy(X), torch.from_numpy(W)
    return torch.nn.functional.conv2d(x, w, padding="same", dilation=DILATION, groups=GROUPS).numpy()


def source_jax():
    from jax import lax

    y = lax.conv_general_dilated(X, W, (1, 1), "SAME", rhs_dilation=(DILATION, DILATION), feature_group_count=GROUPS)
    return np.asarray(y)


def source_flax():
    from flax import nnx

    sizes, options = (KERNEL, KERNEL), {"feature_group_count": GROUPS, "kernel_dilation": DILATION}
    layer = nnx.Conv(2, 4, sizes, padding="SAME", use_bias=False, rngs=nnx.Rngs(0), **options)
    layer.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def conv(padding):
    import paddle

    x, w = paddle.to_tensor(X), paddle.to_tensor(W)
    return paddle.nn.functional.conv2d(x, w, padding=padding, dilation=DILATION, groups=GROUPS).numpy()


def naive_paddle():
    return conv("SAME")


def right_paddle():
    return conv(DILATION * (KERNEL - 1) // 2)
