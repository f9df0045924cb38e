"""float32 on a GPU may mean 10 bits of mantissa

On NVIDIA GPUs since 2020, cuDNN's convolutions in PyTorch and Paddle, and JAX's by default, may round their float32
inputs to TF32. The results then differ in the fourth digit, which looks like a bug of the port. Linear layers differ in
their default: `torch.backends.cuda.matmul.allow_tf32` is False, so that PyTorch's is full float32 and JAX's is not.
Compare on the CPU, or switch it off: `torch.backends.cudnn.allow_tf32 = False`, and in JAX
`jax.default_matmul_precision("float32")`. The numbers below emulate it by rounding the inputs; no GPU was used.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d", "Linear")
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/jax-ml/jax/issues/12008", "https://github.com/pytorch/pytorch/issues/107514")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 8, 6, 6)).astype(np.float32)
W = rng.normal(0, 1, (4, 8, 3, 3)).astype(np.float32)
TERMS = 8 * 3 * 3


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W)).numpy()


def tf32(array):
    """Rounded to a mantissa of 10 bits."""
    bits = array.view(np.uint32)
    return ((bits + np.uint32(1 << 12)) & np.uint32(0xFFFFE000)).view(np.float32)


def naive_jax():
    from jax import lax

    return np.asarray(lax.conv_general_dilated(tf32(X), tf32(W), (1, 1), "VALID"))


def right_jax():
    from jax import lax

    return np.asarray(lax.conv_general_dilated(X, W, (1, 1), "VALID", precision=lax.Precision.HIGHEST))
