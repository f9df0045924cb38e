"""AdamW decays a hundred times less by default in optax

Code that sets no weight decay gets 1e-2 in PyTorch and Paddle, and 1e-4 in optax.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ()
RELATED = ("https://github.com/finegrain-ai/refiners/pull/320", "https://github.com/google-deepmind/optax/issues/417")
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([0.1, 0.2, -0.3], np.float32)
STEPS = 3
TERMS = 10 * STEPS


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.AdamW([w], lr=0.1)
    for _ in range(STEPS):
        w.grad = torch.from_numpy(GRADIENT.copy())
        optimiser.step()
    return w.detach().numpy()


def source_paddle():
    import paddle

    w = paddle.create_parameter([3], "float32")
    w.set_value(W)
    optimiser = paddle.optimizer.AdamW(0.1, parameters=[w])
    for _ in range(STEPS):
        optimiser.clear_grad()
        (w * paddle.to_tensor(GRADIENT)).sum().backward()
        optimiser.step()
    return w.numpy()


def stepped(rule):
    import optax

    w, state = W, rule.init(W)
    for _ in range(STEPS):
        updates, state = rule.update(GRADIENT, state, w)
        w = optax.apply_updates(w, updates)
    return np.asarray(w)


def naive_jax():
    import optax

    return stepped(optax.adamw(0.1))


def right_jax():
    import optax

    return stepped(optax.adamw(0.1, weight_decay=1e-2))
