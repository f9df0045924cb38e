"""JAX's GELU is the tanh approximation

`jax.nn.gelu` and `nnx.gelu` approximate by default; PyTorch's and Paddle's do not. The difference is so small that it
passes a loose tolerance and looks like rounding.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/jax-ml/jax/issues/4428", "https://github.com/google/gemma_pytorch/issues/33")
X = np.linspace(-3, 3, 25, dtype=np.float32)
TERMS = 4  # erf and two products


def source():
    import torch

    return torch.nn.functional.gelu(torch.from_numpy(X)).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.gelu(paddle.to_tensor(X)).numpy()


def naive_jax():
    import jax

    return np.asarray(jax.nn.gelu(X))


def right_jax():
    import jax

    return np.asarray(jax.nn.gelu(X, approximate=False))


def naive_flax():
    from flax import nnx

    return np.asarray(nnx.gelu(X))


def right_flax():
    from flax import nnx

    return np.asarray(nnx.gelu(X, approximate=False))
