"""Flax loads a weight of another shape, and an unknown name, without a word

PyTorch's `load_state_dict` raises on both. `nnx.update` puts an array of any shape in place of the old one and ignores
a name that the module lacks; `layer.kernel[...] = array` broadcasts. Compare the shapes before you load. (1 below means
refused.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Linear",)
SYMPTOMS = ("loading-fails", "shape-differs")
THREADS = ()
RELATED = ("https://github.com/pytorch/pytorch/pull/8619", "https://github.com/liukidar/pcx/issues/73")
SHAPE = (3, 2)
HARMFUL = ({"SHAPE": (3,)}, {"SHAPE": (2, 3, 1)})
HARMLESS = ({"SHAPE": (2, 3)},)


def source():
    import torch

    try:
        torch.nn.Linear(2, 3, bias=False).load_state_dict({"weight": torch.ones(SHAPE[::-1])})
    except RuntimeError:
        return np.array(1)
    return np.array(0)


def naive_flax():
    from flax import nnx

    try:
        nnx.update(nnx.Linear(2, 3, use_bias=False, rngs=nnx.Rngs(0)), {"kernel": np.ones(SHAPE, np.float32)})
    except (TypeError, ValueError):
        return np.array(1)
    return np.array(0)


def right_flax():
    from flax import nnx

    layer = nnx.Linear(2, 3, use_bias=False, rngs=nnx.Rngs(0))
    return np.array(0 if layer.kernel.shape == SHAPE else 1)
