"""Optimisers with the mistakes of code written by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from common.faults.injection import Update
from common.oracle.optimisers import SGD, Adam, Optimiser, updater
from common.spec.params import Arrays


def for_sgd(**fields: float) -> Callable[[Optimiser], Update]:
    """SGD with other settings; Adam as it is."""
    return lambda optimiser: updater(replace(optimiser, **fields) if isinstance(optimiser, SGD) else optimiser)


def for_adam(**fields: float) -> Callable[[Optimiser], Update]:
    """Adam with other settings; SGD as it is."""
    return lambda optimiser: updater(replace(optimiser, **fields) if isinstance(optimiser, Adam) else optimiser)


def decoupled_decay(optimiser: Optimiser) -> Update:
    """SGD whose weight decay acts outside the momentum, as in AdamW."""
    if not isinstance(optimiser, SGD):
        return updater(optimiser)
    plain = updater(replace(optimiser, weight_decay=0.0))

    def update(params: Arrays, gradients: Arrays) -> Arrays:
        new = plain(params, gradients)
        rate = optimiser.lr * optimiser.weight_decay
        return {n: value - rate * params[n] if n in gradients else value for n, value in new.items()}

    return update


def undecayed_vectors(optimiser: Optimiser) -> Update:
    """SGD that does not decay biases and norms."""
    if not isinstance(optimiser, SGD):
        return updater(optimiser)
    decayed, plain = updater(optimiser), updater(replace(optimiser, weight_decay=0.0))

    def update(params: Arrays, gradients: Arrays) -> Arrays:
        with_decay, without = decayed(params, gradients), plain(params, gradients)
        return {name: with_decay[name] if value.ndim > 1 else without[name] for name, value in params.items()}

    return update


def nesterov(optimiser: Optimiser) -> Update:
    """SGD with Nesterov's momentum."""
    heavy = updater(optimiser)
    if not isinstance(optimiser, SGD):
        return heavy
    lr, mu, decay = optimiser.lr, optimiser.momentum, optimiser.weight_decay
    moved: Arrays = {}

    def update(params: Arrays, gradients: Arrays) -> Arrays:
        new = dict(params)
        for name in gradients.keys() & params.keys():
            gradient = gradients[name] + decay * params[name]
            moved[name] = mu * moved.get(name, 0.0) + gradient
            new[name] = params[name] - lr * (gradient + mu * moved[name])
        return new

    return update


def uncorrected(optimiser: Optimiser) -> Update:
    """Adam that does not correct its moments for starting at 0."""
    return updater(optimiser, lambda power: 1.0)


def uncleared(optimiser: Optimiser) -> Update:
    """Either optimiser, with gradients that are never set back to zero."""
    plain = updater(optimiser)
    total: Arrays = {}

    def update(params: Arrays, gradients: Arrays) -> Arrays:
        for name, gradient in gradients.items():
            total[name] = total.get(name, 0.0) + gradient
        return plain(params, total)

    return update


def forgotten(name: str) -> Callable[[Optimiser], Update]:
    """Either optimiser, without one of the parameters."""

    def make(optimiser: Optimiser) -> Update:
        plain = updater(optimiser)
        return lambda params, gradients: plain(params, {n: g for n, g in gradients.items() if n != name})

    return make


def eps_inside(optimiser: Optimiser) -> Update:
    """Adam that adds eps under the root."""
    if not isinstance(optimiser, Adam):
        return updater(optimiser)
    lr, b1, b2, eps = optimiser.lr, optimiser.beta1, optimiser.beta2, optimiser.eps
    moments: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    count = 0

    def update(params: Arrays, gradients: Arrays) -> Arrays:
        nonlocal count
        count += 1
        new = dict(params)
        for name in gradients.keys() & params.keys():
            first, second = moments.get(name, (np.zeros_like(params[name]),) * 2)
            first, second = b1 * first + (1 - b1) * gradients[name], b2 * second + (1 - b2) * gradients[name] ** 2
            moments[name] = first, second
            new[name] = params[name] - lr * first / (1 - b1**count) / np.sqrt(second / (1 - b2**count) + eps)
        return new

    return update
