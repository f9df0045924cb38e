"""Paddle's `set_state_dict` only warns about what does not fit

PyTorch's `load_state_dict` raises on a missing or unexpected name. Paddle skips it, warns, and keeps the random weight;
it returns the names. An array of another shape is skipped in the same way and its name is in both lists. An array of
another dtype raises. (1 below means refused.)
"""

import warnings

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("loading-fails",)
THREADS = (
    "https://github.com/PaddlePaddle/Paddle/issues/55172",
    "https://github.com/PaddlePaddle/Paddle/issues/42324",
)
NAME = "kernel"  # the layer calls it `weight`
SHAPE = (2, 2)
HARMFUL = ({"NAME": "weight", "SHAPE": (2, 3)}, {"NAME": "weight", "SHAPE": (4,)})
HARMLESS = ({"NAME": "weight"},)
STATE = {NAME: np.ones(SHAPE, np.float32)}


def source():
    import torch

    layer = torch.nn.Linear(2, 2, bias=False)
    try:
        layer.load_state_dict({name: torch.from_numpy(array) for name, array in STATE.items()})
    except RuntimeError:
        return np.array(1)
    return np.array(0)


def load():
    import paddle

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return paddle.nn.Linear(2, 2, bias_attr=False).set_state_dict(STATE)


def naive_paddle():
    try:
        load()
    except (RuntimeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_paddle():
    missing, unexpected = load()
    return np.array(1 if missing or unexpected else 0)
