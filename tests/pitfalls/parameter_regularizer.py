"""A parameter's own regulariser replaces the optimiser's in Paddle: the two are not added

`ParamAttr(regularizer=L2Decay(...))` wins over `weight_decay=` of the optimiser, which is then ignored for this
parameter. A source that adds a penalty of one layer to the loss, beside the decay of all layers, has both: give the
parameter the sum. `L2Decay(0.0)` leaves a parameter out of the decay.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = (
    "https://github.com/PaddlePaddle/Paddle/issues/25344",
    "https://github.com/PaddlePaddle/PaddleOCR/issues/3367",
)
DECAY = 0.1  # of all parameters
OWN = 0.4  # of this one
HARMFUL = ({"OWN": 0.05},)
HARMLESS = ({"DECAY": 0.0},)
X = np.array([[1.0, -2.0, 0.5]], np.float32)
W = np.array([[0.3], [0.6], [-0.4]], np.float32)
TERMS = 4


def source():
    import torch

    weight = torch.nn.Parameter(torch.tensor(W))
    optimiser = torch.optim.SGD([weight], lr=0.5, weight_decay=DECAY)
    ((torch.tensor(X) @ weight).sum() + OWN / 2 * weight.square().sum()).backward()
    optimiser.step()
    return weight.detach().numpy()


def stepped(own):
    import paddle

    regularizer = paddle.regularizer.L2Decay(own)
    attr = paddle.ParamAttr(initializer=paddle.nn.initializer.Assign(W), regularizer=regularizer)
    layer = paddle.nn.Linear(3, 1, weight_attr=attr, bias_attr=False)
    optimiser = paddle.optimizer.SGD(0.5, parameters=layer.parameters(), weight_decay=DECAY)
    layer(paddle.to_tensor(X)).sum().backward()
    optimiser.step()
    return layer.weight.numpy()


def naive_paddle():
    return stepped(OWN)


def right_paddle():
    return stepped(DECAY + OWN)
