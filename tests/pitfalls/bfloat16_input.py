"""A float32 layer of Flax turns a bfloat16 input into float32

PyTorch and Paddle raise if the input's dtype is not the weight's. `nnx.Linear` promotes both to float32: the network is
as slow and as large as before, and looks as if it ran in bfloat16. Pass `dtype=jnp.bfloat16`; `param_dtype` is that of
the weights. (1 below means refused.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Linear", "Conv2d")
SYMPTOMS = ("slower", "layer-differs")
THREADS = ()
RELATED = ("https://github.com/google/flax/issues/2384", "https://github.com/google/flax/pull/1776")
X = np.ones((1, 2), np.float32)


def source():
    import torch

    try:
        torch.nn.Linear(2, 2)(torch.from_numpy(X).bfloat16())
    except RuntimeError:
        return np.array(1)
    return np.array(0)


def source_paddle():
    import paddle

    try:
        paddle.nn.Linear(2, 2)(paddle.to_tensor(X).astype("bfloat16"))
    except (RuntimeError, ValueError):
        return np.array(1)
    return np.array(0)


def naive_flax():
    import jax.numpy as jnp
    from flax import nnx

    try:
        nnx.Linear(2, 2, rngs=nnx.Rngs(0))(jnp.asarray(X, jnp.bfloat16))
    except (TypeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_flax():
    import jax.numpy as jnp
    from flax import nnx

    x, layer = jnp.asarray(X, jnp.bfloat16), nnx.Linear(2, 2, rngs=nnx.Rngs(0))
    return np.array(1 if layer(x).dtype != x.dtype else 0)
