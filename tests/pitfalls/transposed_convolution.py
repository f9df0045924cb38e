"""A transposed convolution in JAX does not flip the kernel

`nn.ConvTranspose2d` is the gradient of a convolution, which flips the kernel. `nnx.ConvTranspose` and
`lax.conv_transpose` stretch the input and correlate. `transpose_kernel=True` makes them the gradient; the kernel is
then that of the forward convolution: [kh, kw, out, in].
"""

import numpy as np

FROM = "torch"
LAYERS = ()
THREADS = ("https://github.com/google/flax/issues/1872", "https://github.com/jax-ml/jax/issues/11252")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 4, 5)).astype(np.float32)
W = rng.normal(0, 1, (2, 3, 4, 4)).astype(np.float32)  # PyTorch's: [in, out, kh, kw]
TERMS = 2 * 4 * 4


def source():
    import torch

    return torch.nn.functional.conv_transpose2d(torch.from_numpy(X), torch.from_numpy(W), stride=2).numpy()


def naive_flax():
    from flax import nnx

    layer = nnx.ConvTranspose(2, 3, (4, 4), strides=2, padding="VALID", use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W.transpose(2, 3, 0, 1)
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    layer = nnx.ConvTranspose(
        2, 3, (4, 4), strides=2, padding="VALID", use_bias=False, transpose_kernel=True, rngs=nnx.Rngs(0)
    )
    layer.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def naive_jax():
    from jax import lax

    y = lax.conv_transpose(X.transpose(0, 2, 3, 1), W.transpose(2, 3, 0, 1), (2, 2), "VALID")
    return np.asarray(y).transpose(0, 3, 1, 2)


def right_jax():
    from jax import lax

    y = lax.conv_transpose(X.transpose(0, 2, 3, 1), W.transpose(2, 3, 1, 0), (2, 2), "VALID", transpose_kernel=True)
    return np.asarray(y).transpose(0, 3, 1, 2)
