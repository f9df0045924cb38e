"""The outputs agree, the gradients do not: one model is in training mode

A comparison of outputs in evaluation mode says nothing about the backward pass. In training mode BatchNorm also
differentiates through the batch's mean and variance. Switch both models to the same mode before comparing gradients.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("gradients-differ",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/48596",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (2, 3, 4, 5)).astype(np.float32)
DY = rng.normal(0, 1, (2, 3, 4, 5)).astype(np.float32)
TERMS = 2 * 4 * 5


def source():
    import torch

    x = torch.from_numpy(X).requires_grad_()
    torch.nn.BatchNorm2d(3).train()(x).backward(torch.from_numpy(DY))
    return x.grad.numpy()


def source_flax():
    from flax import nnx

    norm = nnx.BatchNorm(3, use_fast_variance=False, rngs=nnx.Rngs(0))
    gradient = nnx.grad(lambda x, norm: (norm(x) * DY.transpose(0, 2, 3, 1)).sum())
    return np.asarray(gradient(X.transpose(0, 2, 3, 1), norm)).transpose(0, 3, 1, 2)


def gradient(training):
    import paddle

    norm = paddle.nn.BatchNorm2D(3)
    norm.train() if training else norm.eval()
    x = paddle.to_tensor(X, stop_gradient=False)
    norm(x).backward(paddle.to_tensor(DY))
    return x.grad.numpy()


def naive_paddle():
    return gradient(training=False)


def right_paddle():
    return gradient(training=True)
