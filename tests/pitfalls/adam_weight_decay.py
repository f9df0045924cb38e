"""`Adam(weight_decay=...)` is not AdamW

In PyTorch it is an L2 term: it is added to the gradient, and Adam rescales the sum. `optax.adamw` and
`paddle.optimizer.AdamW` decay the weights apart from Adam. Paddle's `Adam(weight_decay=...)` does the same as
PyTorch's.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/google-deepmind/optax/issues/417", "https://github.com/pytorch/pytorch/pull/4429")
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([0.1, 0.4, -0.5], np.float32)
STEPS = 3
TERMS = 10 * STEPS


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.Adam([w], lr=0.1, weight_decay=0.1)
    for _ in range(STEPS):
        w.grad = torch.from_numpy(GRADIENT.copy())
        optimiser.step()
    return w.detach().numpy()


def source_paddle():
    import paddle

    return paddle_steps(paddle.optimizer.Adam)


def optax_steps(rule):
    import optax

    w, state = W, rule.init(W)
    for _ in range(STEPS):
        updates, state = rule.update(GRADIENT, state, w)
        w = optax.apply_updates(w, updates)
    return np.asarray(w)


def naive_jax():
    import optax

    return optax_steps(optax.adamw(0.1, weight_decay=0.1))


def right_jax():
    import optax

    return optax_steps(optax.chain(optax.add_decayed_weights(0.1), optax.adam(0.1)))


def paddle_steps(optimiser):
    import paddle

    w = paddle.create_parameter([3], "float32")
    w.set_value(W)
    steps = optimiser(learning_rate=0.1, weight_decay=0.1, parameters=[w])
    for _ in range(STEPS):
        steps.clear_grad()
        (w * paddle.to_tensor(GRADIENT)).sum().backward()
        steps.step()
    return w.numpy()


def naive_paddle():
    import paddle

    return paddle_steps(paddle.optimizer.AdamW)


def right_paddle():
    import paddle

    return paddle_steps(paddle.optimizer.Adam)
