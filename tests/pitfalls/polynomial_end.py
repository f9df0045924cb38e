"""Paddle's polynomial schedule ends at 1e-4, PyTorch's at 0

`PolynomialDecay(end_lr=0.0001)` is Paddle's default. PyTorch's `PolynomialLR` has no end of its own. For a learning
rate of 1e-3, as AdamW's, that is a tenth of the start. Write `end_lr=0.0`. (The numbers below are learning rates.)
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/docs/pull/1320", "https://github.com/pytorch/pytorch/pull/82769")
RATE = 1e-3
POWER = 1.0
HARMFUL = ({"RATE": 0.1}, {"POWER": 0.9})
TERMS = 8


def source():
    import torch

    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimiser, 4, POWER)
    rates = []
    for _ in range(6):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    return np.array(rates, np.float32)


def rates(**options):
    import paddle

    schedule = paddle.optimizer.lr.PolynomialDecay(RATE, 4, power=POWER, **options)
    found = []
    for _ in range(6):
        found.append(schedule.get_lr())
        schedule.step()
    return np.array(found, np.float32)


def naive_paddle():
    return rates()


def right_paddle():
    return rates(end_lr=0.0)
