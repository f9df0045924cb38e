"""`paddle.to_tensor` makes a tensor without gradient, and `stop_gradient` is the inverse of `requires_grad`

A layer's input, a mask that is learnt or an adversarial image gets no gradient unless `stop_gradient=False` is written.
PyTorch's `requires_grad=True` becomes `stop_gradient=False`. A parameter is frozen by `stop_gradient = True`, which
`trainable = False` sets too. (The number below is how many gradients there are.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("gradients-differ", "training-diverges")
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/34712",)
RELATED = ("https://github.com/PaddlePaddle/docs/pull/7374",)
X = np.ones(3, np.float32)


def source():
    import torch

    x = torch.tensor(X, requires_grad=True)
    (x * torch.nn.Parameter(torch.ones(3))).sum().backward()
    return np.array(x.grad is not None)


def gradient(x):
    import paddle

    (x * paddle.create_parameter([3], "float32")).sum().backward()
    return np.array(x.grad is not None)


def naive_paddle():
    import paddle

    return gradient(paddle.to_tensor(X))


def right_paddle():
    import paddle

    return gradient(paddle.to_tensor(X, stop_gradient=False))
