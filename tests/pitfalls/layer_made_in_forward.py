"""A layer that is made inside `forward` is never trained

The old `fluid` functions made a layer's weights where it was called, in a static graph that was built once. Today the
same line in a layer's `forward` makes new random weights at every call, and `parameters()` does not include them.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("counts-differ", "training-diverges")
THREADS = ("https://github.com/pytorch/pytorch/issues/1291",)


def source():
    import torch

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(4, 4, 3)

        def forward(self, x):
            return self.conv(x)

    return np.array(len(list(Block().parameters())))


def naive_paddle():
    import paddle

    class Block(paddle.nn.Layer):
        def forward(self, x):
            return paddle.nn.Conv2D(4, 4, 3)(x)

    block = Block()
    block(paddle.ones((1, 4, 5, 5)))
    return np.array(len(block.parameters()))


def right_paddle():
    import paddle

    class Block(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.conv = paddle.nn.Conv2D(4, 4, 3)

        def forward(self, x):
            return self.conv(x)

    return np.array(len(Block().parameters()))
