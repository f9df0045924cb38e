"""BatchNorm's momentum is the weight of the other value

In PyTorch `momentum` is the weight of the *new* batch statistic. In Paddle and in Flax it is the weight of the *old*
one. With the same number, the running statistics follow every single batch instead of averaging ten of them. The output
in training mode does not show it.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs", "accuracy-lower")
THREADS = (
    "https://github.com/pytorch/examples/issues/289",
    "https://github.com/pytorch/vision/issues/8250",
)
TERMS = 2 * 5 * 7
X = np.random.default_rng(0).normal(3, 2, (2, 3, 5, 7)).astype(np.float32)


def source():
    import torch

    norm = torch.nn.BatchNorm2d(3, momentum=0.1)
    norm(torch.from_numpy(X))
    return norm.running_mean.numpy()


def naive_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3, momentum=0.1)
    norm(paddle.to_tensor(X))
    return norm._mean.numpy()


def right_paddle():
    import paddle

    norm = paddle.nn.BatchNorm2D(3, momentum=1 - 0.1)
    norm(paddle.to_tensor(X))
    return norm._mean.numpy()


def naive_flax():
    from flax import nnx

    norm = nnx.BatchNorm(3, momentum=0.1, rngs=nnx.Rngs(0))
    norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])


def right_flax():
    from flax import nnx

    norm = nnx.BatchNorm(3, momentum=1 - 0.1, rngs=nnx.Rngs(0))
    norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])
