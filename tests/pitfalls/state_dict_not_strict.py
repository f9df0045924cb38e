"""Paddle's `set_state_dict` only warns about what does not fit

PyTorch's `load_state_dict` raises on a missing or unexpected name. Paddle skips it, warns, and keeps the random weight;
it returns the names. (1 below means refused.)
"""

import warnings

import numpy as np

FROM = "torch"
LAYERS = ()
THREADS = (
    "https://github.com/PaddlePaddle/Paddle/issues/55172",
    "https://github.com/PaddlePaddle/Paddle/issues/42324",
)
STATE = {"kernel": np.ones((2, 2), np.float32)}  # the layer calls it `weight`


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
