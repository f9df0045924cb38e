"""`Dropout2d` drops whole channels; `nnx.Dropout` drops pixels

Flax has one dropout for all ranks. To drop whole channels, set `broadcast_dims`, the axes along which one draw is
shared. The number below is how many channels were dropped in part.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Dropout",)
SYMPTOMS = ("training-diverges",)
THREADS = ()
RELATED = ("https://github.com/intel/ipex-llm/pull/2222",)
X = np.ones((2, 8, 4, 4), np.float32)


def torn(y):
    """How many channels are neither kept nor dropped as a whole."""
    kept = (y != 0).sum((2, 3))
    return np.array(((kept > 0) & (kept < y.shape[2] * y.shape[3])).sum())


def source():
    import torch

    torch.manual_seed(0)
    return torn(torch.nn.Dropout2d(0.5)(torch.from_numpy(X)).numpy())


def source_paddle():
    import paddle

    paddle.seed(0)
    return torn(paddle.nn.Dropout2D(0.5)(paddle.to_tensor(X)).numpy())


def naive_flax():
    from flax import nnx

    layer = nnx.Dropout(0.5, rngs=nnx.Rngs(0))
    return torn(np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2))


def right_flax():
    from flax import nnx

    layer = nnx.Dropout(0.5, broadcast_dims=(1, 2), rngs=nnx.Rngs(0))
    return torn(np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2))
