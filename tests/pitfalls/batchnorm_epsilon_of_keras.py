"""BatchNorm weights from Keras or TensorFlow need epsilon 1e-3

Keras adds 1e-3 by default; all four frameworks here add 1e-5. The shapes and names of the weights do not show it. Where
a running variance is small, as after a depthwise convolution, the output is scaled by another factor. The source below
is PyTorch with Keras's epsilon, as timm's `tf_` models have it. Keras's momentum, 0.99, is PyTorch's 0.01.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("layer-differs", "accuracy-lower")
THREADS = ("https://github.com/gzuidhof/nn-transfer/pull/3", "https://github.com/qqwweee/keras-yolo3/issues/451")
VARIANCE = 0.01
HARMFUL = ({"VARIANCE": 0.1}, {"VARIANCE": 1e-4})
HARMLESS = ({"VARIANCE": 1e4},)
X = np.random.default_rng(0).normal(0, VARIANCE**0.5, (2, 3, 4, 4)).astype(np.float32)
TERMS = 4


def source():
    import torch

    norm = torch.nn.BatchNorm2d(3, eps=1e-3).eval()
    norm.running_var.fill_(VARIANCE)
    return norm(torch.from_numpy(X)).detach().numpy()


def source_paddle():
    return paddle_norm(epsilon=1e-3)


def paddle_norm(**options):
    import paddle

    norm = paddle.nn.BatchNorm2D(3, **options)
    norm._variance.set_value(np.full(3, VARIANCE, np.float32))
    norm.eval()
    return norm(paddle.to_tensor(X)).numpy()


def naive_paddle():
    return paddle_norm()


def right_paddle():
    return paddle_norm(epsilon=1e-3)


def flax_norm(**options):
    from flax import nnx

    norm = nnx.BatchNorm(3, use_running_average=True, rngs=nnx.Rngs(0), **options)
    norm.var[...] = np.full(3, VARIANCE, np.float32)
    return np.asarray(norm(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def naive_flax():
    return flax_norm()


def right_flax():
    return flax_norm(epsilon=1e-3)
