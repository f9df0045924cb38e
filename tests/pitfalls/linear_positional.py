"""`nn.Linear(4, 7, False)` has no weight in Paddle

The third argument is `bias` in PyTorch and `weight_attr` in Paddle, where False means none: the layer keeps its bias
and loses its weight. It raises at the first call, or not at all if only its parameters are counted. Name the arguments.
(The number below is how many values the layer has.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Linear",)
SYMPTOMS = ("raises", "counts-differ")
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/docs/pull/5750",)


def source():
    import torch

    return np.array(sum(p.numel() for p in torch.nn.Linear(4, 7, False).parameters()))


def naive_paddle():
    import paddle

    return np.array(sum(p.size for p in paddle.nn.Linear(4, 7, False).parameters()))


def right_paddle():
    import paddle

    return np.array(sum(p.size for p in paddle.nn.Linear(4, 7, bias_attr=False).parameters()))
