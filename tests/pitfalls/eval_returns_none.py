"""`model.eval()` returns nothing in Flax

In PyTorch `eval()` and `train()` return the module, so `model = Model().eval()` is common; Paddle's do too. In Flax
they return None, and the next call fails.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d", "Dropout")
SYMPTOMS = ("raises",)
THREADS = ("https://github.com/pytorch/pytorch/issues/52272",)
X = np.random.default_rng(0).normal(2, 3, (2, 3, 4, 5)).astype(np.float32)


def source():
    import torch

    model = torch.nn.BatchNorm2d(3).eval()
    return model(torch.from_numpy(X)).detach().numpy()


def naive_flax():
    from flax import nnx

    model = nnx.BatchNorm(3, rngs=nnx.Rngs(0)).eval()
    return np.asarray(model(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def right_flax():
    from flax import nnx

    model = nnx.BatchNorm(3, rngs=nnx.Rngs(0))
    model.eval()
    return np.asarray(model(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
