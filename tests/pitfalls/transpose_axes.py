"""`x.transpose(0, 1)` exchanges two axes in PyTorch, and changes nothing in JAX

PyTorch's two numbers are the axes to exchange. JAX's are the new order of all axes, as NumPy's: for a matrix `(0, 1)`
is the old order, and for more axes it raises. Paddle 3.3.1 takes two numbers as PyTorch does, and a list as JAX. Write
`jnp.swapaxes(x, 0, 1)`.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("raises", "layer-differs", "shape-differs")
THREADS = ("https://github.com/pytorch/pytorch/issues/153785",)
SHAPE = (3, 3)
HARMFUL = ({"SHAPE": (2, 3)}, {"SHAPE": (2, 3, 4)})
HARMLESS = ({"SHAPE": (1, 1)},)
X = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)


def source():
    import torch

    return torch.from_numpy(X).transpose(0, 1).numpy()


def source_paddle():
    import paddle

    return paddle.to_tensor(X).transpose(0, 1).numpy()


def naive_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.asarray(X).transpose(0, 1))


def right_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.swapaxes(X, 0, 1))
