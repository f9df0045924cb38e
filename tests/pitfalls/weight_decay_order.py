"""An L2 term goes before the momentum

PyTorch's SGD adds `weight_decay` times the weight to the *gradient*, so the momentum includes it. In optax the decay is
a separate transformation. After the momentum and the learning rate it makes another optimiser.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/pytorch/pytorch/pull/13801", "https://github.com/google-deepmind/optax/issues/308")
RELATED = ("https://github.com/google-deepmind/optax/issues/392",)
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([0.1, 0.2, -0.3], np.float32)
STEPS = 3
TERMS = 5 * STEPS


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(STEPS):
        w.grad = torch.from_numpy(GRADIENT.copy())
        optimiser.step()
    return w.detach().numpy()


def source_paddle():
    import paddle

    w = paddle.create_parameter([3], "float32")
    w.set_value(W)
    optimiser = paddle.optimizer.Momentum(0.1, momentum=0.9, weight_decay=0.1, parameters=[w])
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

    return stepped(optax.chain(optax.sgd(0.1, momentum=0.9), optax.add_decayed_weights(-0.1 * 0.1)))


def right_jax():
    import optax

    return stepped(optax.chain(optax.add_decayed_weights(0.1), optax.sgd(0.1, momentum=0.9)))
