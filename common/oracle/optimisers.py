"""The optimisers that training is compared with, as the reference computes them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from common.spec import INPUT
from common.spec.params import Arrays


@dataclass(frozen=True)
class SGD:
    """Momentum and L2 weight decay added to the gradient: ``v = mu v + (g + wd p)``, ``p -= lr v``."""

    lr: float = 0.005
    momentum: float = 0.9
    weight_decay: float = 0.01


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba, 2014 (https://arxiv.org/abs/1412.6980), with bias correction and eps outside the root."""

    lr: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-3


Optimiser = SGD | Adam
OPTIMISERS: tuple[Optimiser, ...] = (SGD(), Adam())


def updater(
    optimiser: Optimiser, complement: Callable[[float], float] = lambda power: 1 - power
) -> Callable[[Arrays, Arrays], Arrays]:
    """A function (params, gradients) -> params that remembers its moments from call to call.

    ``complement`` computes 1 - beta**t, by which Adam divides its moments.
    """
    first: Arrays = {}
    second: Arrays = {}
    count = 0

    def update(params: Arrays, gradients: Arrays) -> Arrays:
        nonlocal count
        count += 1
        new = dict(params)
        bias1 = bias2 = 1.0
        if isinstance(optimiser, Adam):
            bias1, bias2 = complement(optimiser.beta1**count), complement(optimiser.beta2**count)
        for name, gradient in gradients.items():
            if name == INPUT:
                continue
            p = params[name]
            if isinstance(optimiser, SGD):
                first[name] = optimiser.momentum * first.get(name, 0.0) + gradient + optimiser.weight_decay * p
                new[name] = p - optimiser.lr * first[name]
            else:
                b1, b2 = optimiser.beta1, optimiser.beta2
                first[name] = b1 * first.get(name, 0.0) + (1 - b1) * gradient
                second[name] = b2 * second.get(name, 0.0) + (1 - b2) * gradient**2
                root = np.sqrt(second[name] / bias2) + optimiser.eps
                new[name] = p - optimiser.lr * (first[name] / bias1) / root
        return new

    return update
