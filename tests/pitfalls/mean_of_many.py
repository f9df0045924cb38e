"""`paddle.mean` of many equal float32 values is wrong in the third digit

On a CPU Paddle 3.3.1 adds the values one after another, so that the sum loses digits: of 2 million values 0.1 the mean
is off by 0.25 %. Losses over maps, global pools and norms that are written with `mean` meet it. `paddle.sum(x) /
x.size` adds in parts, as PyTorch does. Up to a few thousand values no difference shows. On a GPU it was not run.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("loss-differs", "layer-differs")
THREADS = ()
RELATED = ("https://github.com/pytorch/pytorch/issues/18277", "https://github.com/PaddlePaddle/Paddle/issues/48252")
N = 2**21
HARMLESS = ({"N": 1000},)
X = np.full(N, 0.1, np.float32)
TERMS = 64  # equal values round in the same direction


def source():
    import torch

    return torch.from_numpy(X).mean().numpy()


def source_jax():
    import jax.numpy as jnp

    return np.asarray(jnp.mean(X))


def naive_paddle():
    import paddle

    return paddle.mean(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    return (paddle.sum(paddle.to_tensor(X)) / N).numpy()
