"""Paddle's RMSProp decays by 0.95 and adds epsilon inside the root

PyTorch's decays by 0.99 and adds epsilon, 1e-8, outside the root. Paddle adds 1e-6 to the squares: a gradient below
1e-3 makes smaller steps. Give `rho=0.99` and the square of PyTorch's epsilon. The two epsilons are the same only for
gradients that are large beside them: for a large epsilon, such as 1e-3, write the step yourself.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/PaddlePaddle/Paddle/pull/35683",)
RELATED = ("https://github.com/pytorch/pytorch/issues/23796",)
SIZE = 1.0
STEPS = 3
HARMFUL = ({"SIZE": 10.0}, {"STEPS": 1})
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([0.01, 0.02, -0.03], np.float32) * np.float32(SIZE)
TERMS = 10 * STEPS


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.RMSprop([w], lr=0.01)
    for _ in range(STEPS):
        w.grad = torch.from_numpy(GRADIENT.copy())
        optimiser.step()
    return w.detach().numpy()


def stepped(**options):
    import paddle

    w = paddle.create_parameter([3], "float32")
    w.set_value(W)
    optimiser = paddle.optimizer.RMSProp(0.01, parameters=[w], **options)
    for _ in range(STEPS):
        optimiser.clear_grad()
        (w * paddle.to_tensor(GRADIENT)).sum().backward()
        optimiser.step()
    return w.numpy()


def naive_paddle():
    return stepped()


def right_paddle():
    return stepped(rho=0.99, epsilon=1e-16)
