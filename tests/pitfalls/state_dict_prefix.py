"""A `module.` before every name loads nothing in Paddle, and only warns

PyTorch's `DataParallel` saves `module.conv.weight`. PyTorch's `load_state_dict` then raises; Paddle's `set_state_dict`
warns, loads nothing, and the network keeps its initial weights. Cut the prefix, and look at what is returned. The same
holds for `num_batches_tracked`, which Paddle does not have. (The numbers below are weights; in the source the prefix
has been cut.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Linear",)
SYMPTOMS = ("loading-fails", "layer-differs")
THREADS = ("https://github.com/PaddlePaddle/Paddle/issues/55172",)
PREFIX = "module."
HARMLESS = ({"PREFIX": ""},)
W = np.arange(6, dtype=np.float32).reshape(2, 3)
SAVED = {f"{PREFIX}weight": W}


def source():
    import torch

    layer = torch.nn.Linear(3, 2, bias=False)
    layer.load_state_dict({name.removeprefix(PREFIX): torch.from_numpy(array) for name, array in SAVED.items()})
    return layer.weight.detach().numpy()


def loaded(state):
    import warnings

    import paddle

    layer = paddle.nn.Linear(3, 2, bias_attr=False)
    layer.weight.set_value(np.zeros((3, 2), np.float32))  # for its random ones
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer.set_state_dict({name: array.T for name, array in state.items()})
    return layer.weight.numpy().T


def naive_paddle():
    return loaded(SAVED)


def right_paddle():
    return loaded({name.removeprefix(PREFIX): array for name, array in SAVED.items()})
