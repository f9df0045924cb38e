"""RMSprop has another default decay and adds epsilon elsewhere

MobileNet and its successors were trained with it. PyTorch has decay 0.99 and epsilon outside the root; optax has decay
0.9 and epsilon inside the root. With the large epsilon of 1e-3 that such recipes use, the steps differ a lot. Paddle
has decay 0.95 and epsilon inside the root. The right port below is for a constant learning rate: with momentum and a
schedule optax multiplies by the rate before it averages, PyTorch after.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/google-deepmind/optax/issues/532", "https://github.com/pytorch/pytorch/issues/23796")
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([0.01, 0.02, -0.03], np.float32)
STEPS = 3
TERMS = 10 * STEPS


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.RMSprop([w], lr=0.01, eps=1e-3)
    for _ in range(STEPS):
        w.grad = torch.from_numpy(GRADIENT.copy())
        optimiser.step()
    return w.detach().numpy()


def stepped(rule):
    import optax

    w, state = W, rule.init(W)
    for _ in range(STEPS):
        updates, state = rule.update(GRADIENT, state, w)
        w = optax.apply_updates(w, updates)
    return np.asarray(w)


def naive_jax():
    import optax

    return stepped(optax.rmsprop(0.01, eps=1e-3))


def right_jax():
    import optax

    return stepped(optax.rmsprop(0.01, decay=0.99, eps=1e-3, eps_in_sqrt=False))
