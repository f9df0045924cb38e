"""NumPy's names of padding modes are not PyTorch's

`replicate` is `edge` in JAX. `reflect` does not repeat the border and `symmetric` does: the two are easily confused,
and give the same shape.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/pytorch/pytorch/issues/46240", "https://github.com/plenoptic-org/plenoptic/issues/154")
X = np.random.default_rng(0).normal(0, 1, (1, 2, 5, 6)).astype(np.float32)


def source():
    import torch

    return torch.nn.functional.pad(torch.from_numpy(X), (1, 1, 1, 1), mode="reflect").numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.pad(paddle.to_tensor(X), (1, 1, 1, 1), mode="reflect").numpy()


def naive_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="symmetric"))


def right_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect"))
