"""`optax.adagrad` starts its sum of squares at 0.1, PyTorch's and Paddle's at 0

The first steps are therefore much shorter, the more so the smaller the gradients are. Write
`initial_accumulator_value=0.0, eps=1e-10`.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges",)
THREADS = ()
RELATED = ("https://github.com/pytorch/pytorch/pull/6616", "https://github.com/tensorflow/swift-apis/pull/733")
SIZE = 0.1
HARMFUL = ({"SIZE": 0.01},)
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([1.0, 2.0, -3.0], np.float32) * SIZE
STEPS = 3
TERMS = 10 * STEPS


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.Adagrad([w], lr=0.1)
    for _ in range(STEPS):
        w.grad = torch.from_numpy(GRADIENT.astype(np.float32))
        optimiser.step()
    return w.detach().numpy()


def source_paddle():
    import paddle

    w = paddle.create_parameter([3], "float32")
    w.set_value(W)
    optimiser = paddle.optimizer.Adagrad(0.1, epsilon=1e-10, parameters=[w])
    for _ in range(STEPS):
        optimiser.clear_grad()
        (w * paddle.to_tensor(GRADIENT.astype(np.float32))).sum().backward()
        optimiser.step()
    return w.numpy()


def stepped(rule):
    import optax

    w, state = W, rule.init(W)
    for _ in range(STEPS):
        updates, state = rule.update(GRADIENT.astype(np.float32), state, w)
        w = optax.apply_updates(w, updates)
    return np.asarray(w)


def naive_jax():
    import optax

    return stepped(optax.adagrad(0.1))


def right_jax():
    import optax

    return stepped(optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-10))
