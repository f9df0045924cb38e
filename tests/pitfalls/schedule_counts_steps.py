"""optax's schedules count steps; PyTorch's count the calls of `step()`

A PyTorch training loop usually calls `scheduler.step()` once an epoch, so that `T_max` is a number of epochs. optax
counts every update: give it epochs times batches. Paddle's scheduler counts calls of `step()` too, and does nothing if
you forget them. For a change once an epoch, as PyTorch's, pass the whole epochs. (The numbers below are learning
rates.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/ScrollPrize/villa/pull/1495",)
RELATED = ("https://github.com/crowsonkb/k-diffusion/issues/50",)
EPOCHS = 3
BATCHES = 4
HARMFUL = ({"BATCHES": 2},)
HARMLESS = ({"BATCHES": 1},)
TERMS = EPOCHS * BATCHES


def source():
    import torch

    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    rates = []
    for _ in range(EPOCHS):
        for _ in range(BATCHES):
            rates.append(schedule.get_last_lr()[0])
            optimiser.step()
        schedule.step()
    return np.array(rates, np.float32)


def source_paddle():
    import paddle

    schedule = paddle.optimizer.lr.CosineAnnealingDecay(0.1, EPOCHS)
    rates = []
    for _ in range(EPOCHS):
        rates += [schedule()] * BATCHES
        schedule.step()
    return np.array(rates, np.float32)


def naive_jax():
    import optax

    return np.asarray(optax.cosine_decay_schedule(0.1, EPOCHS)(np.arange(EPOCHS * BATCHES)), np.float32)


def right_jax():
    import optax

    return np.asarray(optax.cosine_decay_schedule(0.1, EPOCHS)(np.arange(EPOCHS * BATCHES) // BATCHES), np.float32)
