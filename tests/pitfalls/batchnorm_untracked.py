"""`track_running_stats=False` normalises by the batch in evaluation too

Paddle and Flax have no such argument: their evaluation uses the running statistics. Keep the norm in training mode:
`use_global_stats=False` in Paddle, `use_running_average=False` at the call in Flax.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs",)
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/Paddle/issues/79227",)
X = np.random.default_rng(0).normal(3, 2, (4, 2, 3, 3)).astype(np.float32)
TERMS = 4 * 3 * 3


def source():
    import torch

    return torch.nn.BatchNorm2d(2, track_running_stats=False).eval()(torch.from_numpy(X)).detach().numpy()


def paddle_norm(**options):
    import paddle

    norm = paddle.nn.BatchNorm2D(2, **options)
    norm.eval()
    return norm(paddle.to_tensor(X)).numpy()


def naive_paddle():
    return paddle_norm()


def right_paddle():
    return paddle_norm(use_global_stats=False)


def flax_norm(**options):
    from flax import nnx

    norm = nnx.BatchNorm(2, use_fast_variance=False, rngs=nnx.Rngs(0))
    norm.eval()
    return np.asarray(norm(X.transpose(0, 2, 3, 1), **options)).transpose(0, 3, 1, 2)


def naive_flax():
    return flax_norm()


def right_flax():
    return flax_norm(use_running_average=False)
