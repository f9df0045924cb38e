"""After its last step a cosine schedule rises again in PyTorch and Paddle, and stays at 0 in optax

`CosineAnnealingLR` is periodic: after `T_max` steps the learning rate goes up to its start again. optax's
`cosine_decay_schedule` stays at the end. The two agree up to `T_max`. (The numbers below are learning rates.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/google-deepmind/optax/pull/1032", "https://github.com/ivadomed/ivadomed/issues/57")
LENGTH = 4
STEPS = 8
HARMFUL = ({"STEPS": 6},)
HARMLESS = ({"STEPS": 4},)
TERMS = STEPS


def source():
    import torch

    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, LENGTH)
    rates = []
    for _ in range(STEPS + 1):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    return np.array(rates, np.float32)


def source_paddle():
    import paddle

    schedule = paddle.optimizer.lr.CosineAnnealingDecay(0.1, LENGTH)
    rates = []
    for _ in range(STEPS + 1):
        rates.append(schedule())
        schedule.step()
    return np.array(rates, np.float32)


def naive_jax():
    import optax

    return np.asarray(optax.cosine_decay_schedule(0.1, LENGTH)(np.arange(STEPS + 1)), np.float32)


def right_jax():
    import jax.numpy as jnp

    return np.asarray(0.05 * (1 + jnp.cos(jnp.pi * np.arange(STEPS + 1) / LENGTH)), np.float32)
