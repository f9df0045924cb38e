"""A transposed convolution in JAX does not flip the kernel

`nn.ConvTranspose2d` is the gradient of a convolution, which flips the kernel. `nnx.ConvTranspose` and
`lax.conv_transpose` stretch the input and correlate. `transpose_kernel=True` makes them the gradient; the kernel is
then that of the forward convolution: [kh, kw, out, in]. Give the padding in numbers, dilation · (kernel - 1) for
PyTorch's 0: "VALID" is the same only while the kernel is no smaller than the stride. `nnx.ConvTranspose` and
`lax.conv_transpose` have no groups.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs", "shape-differs")
THREADS = ("https://github.com/google/flax/issues/1872", "https://github.com/jax-ml/jax/issues/11252")
KERNEL = 4
STRIDE = 2
HARMFUL = ({"KERNEL": 2, "STRIDE": 3},)
HARMLESS = ({"KERNEL": 1, "STRIDE": 1},)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 4, 5)).astype(np.float32)
W = rng.normal(0, 1, (2, 3, KERNEL, KERNEL)).astype(np.float32)  # PyTorch's: [in, out, kh, kw]
TERMS = 2 * KERNEL * KERNEL


def source():
    import torch

    return torch.nn.functional.conv_transpose2d(torch.from_numpy(X), torch.from_numpy(W), stride=STRIDE).numpy()


def source_paddle():
    import paddle

    x, w = paddle.to_tensor(X), paddle.to_tensor(W)
    return paddle.nn.functional.conv2d_transpose(x, w, stride=STRIDE).numpy()


def flax_layer(kernel, **options):
    from flax import nnx

    layer = nnx.ConvTranspose(2, 3, (KERNEL, KERNEL), strides=STRIDE, use_bias=False, rngs=nnx.Rngs(0), **options)
    layer.kernel[...] = kernel
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def naive_flax():
    return flax_layer(W.transpose(2, 3, 0, 1), padding="VALID")


def right_flax():
    return flax_layer(W.transpose(2, 3, 1, 0), padding=KERNEL - 1, transpose_kernel=True)


def jax_operation(kernel, padding, **options):
    from jax import lax

    y = lax.conv_transpose(X.transpose(0, 2, 3, 1), kernel, (STRIDE, STRIDE), padding, **options)
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_jax():
    return jax_operation(W.transpose(2, 3, 0, 1), "VALID")


def right_jax():
    sides = (KERNEL - 1, KERNEL - 1)
    return jax_operation(W.transpose(2, 3, 1, 0), (sides, sides), transpose_kernel=True)
