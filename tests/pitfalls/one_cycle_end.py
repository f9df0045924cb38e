"""`OneCycleLR` ends at 1e-4 in Paddle, at a fraction of its start in PyTorch; optax is a step behind

PyTorch's schedule ends at `max_lr / div_factor / final_div_factor`, which is 4e-6 times the greatest rate. Paddle's has
`end_learning_rate=0.0001` whatever the greatest rate is. `optax.cosine_onecycle_schedule` ends where PyTorch's does, a
step later: PyTorch and Paddle take one step less for the rise, and for the whole. (The numbers below are learning
rates.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/Paddle/pull/41825", "https://github.com/goodfire-ai/spd/issues/642")
RATE = 1e-2
STEPS = 10
HARMFUL = ({"RATE": 0.1}, {"STEPS": 20})
TERMS = 20


def source():
    import torch

    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS, cycle_momentum=False)
    rates = []
    for step in range(STEPS):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        if step < STEPS - 1:
            schedule.step()
    return np.array(rates, np.float32)


def rates(**options):
    import paddle

    schedule = paddle.optimizer.lr.OneCycleLR(RATE, STEPS, **options)
    rates = []
    for step in range(STEPS):
        rates.append(schedule())
        if step < STEPS - 1:
            schedule.step()
    return np.array(rates, np.float32)


def naive_paddle():
    return rates()


def right_paddle():
    return rates(end_learning_rate=RATE / 25 / 1e4)


def naive_jax():
    import optax

    schedule = optax.cosine_onecycle_schedule(STEPS, RATE)
    return np.array([schedule(step) for step in range(STEPS)], np.float32)


def right_jax():
    import jax.numpy as jnp

    steps, first, last, rise = jnp.arange(STEPS), RATE / 25, RATE / 25 / 1e4, 0.3 * STEPS - 1

    def between(start, end, share):
        return end + (start - end) / 2 * (1 + jnp.cos(jnp.pi * share))

    up, down = between(first, RATE, steps / rise), between(RATE, last, (steps - rise) / (STEPS - 1 - rise))
    return np.asarray(jnp.where(steps <= rise, up, down), np.float32)
