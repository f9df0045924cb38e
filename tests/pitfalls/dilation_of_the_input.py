"""JAX has two dilations

PyTorch's `dilation` spreads the kernel. It is `rhs_dilation` in `lax` and `kernel_dilation` in Flax. `lhs_dilation` and
`input_dilation` spread the input, as a transposed convolution does, and the output is larger. (With padding as a
string, `lax` raises.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("shape-differs",)
THREADS = ()
RELATED = ("https://github.com/denizyuret/Knet.jl/issues/322", "https://github.com/jax-ml/jax/issues/4216")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 7, 8)).astype(np.float32)
W = rng.normal(0, 1, (3, 2, 3, 3)).astype(np.float32)
UNPADDED = ((0, 0), (0, 0))
TERMS = 2 * 3 * 3


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W), dilation=2).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W), dilation=2).numpy()


def naive_jax():
    from jax import lax

    return np.asarray(lax.conv_general_dilated(X, W, (1, 1), UNPADDED, lhs_dilation=(2, 2)))


def right_jax():
    from jax import lax

    return np.asarray(lax.conv_general_dilated(X, W, (1, 1), UNPADDED, rhs_dilation=(2, 2)))


def flax_conv(**dilation):
    from flax import nnx

    conv = nnx.Conv(2, 3, (3, 3), padding=0, use_bias=False, rngs=nnx.Rngs(0), **dilation)
    conv.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(conv(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def naive_flax():
    return flax_conv(input_dilation=2)


def right_flax():
    return flax_conv(kernel_dilation=2)
