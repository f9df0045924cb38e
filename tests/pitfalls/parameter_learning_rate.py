"""`ParamAttr(learning_rate=)` of Paddle is a factor, the `lr` of a group in PyTorch is the rate

A parameter group of PyTorch has its own learning rate. In Paddle the rate of the optimiser is multiplied by that of the
parameter, which is 1.0 by default. A port that writes the rate of the group there makes far too small steps. Write the
quotient of both rates.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/PaddlePaddle/Paddle/pull/5524",)
RATE = 0.1  # of the optimiser
OWN = 0.01  # of this parameter
HARMFUL = ({"OWN": 0.5},)
HARMLESS = ({"RATE": 1.0},)
X = np.array([[1.0, -2.0, 0.5]], np.float32)
W = np.array([[0.3], [0.6], [-0.4]], np.float32)
TERMS = 3


def source():
    import torch

    weight = torch.nn.Parameter(torch.tensor(W))
    optimiser = torch.optim.SGD([{"params": [weight], "lr": OWN}], lr=RATE)
    (torch.tensor(X) @ weight).sum().backward()
    optimiser.step()
    return weight.detach().numpy()


def stepped(own):
    import paddle

    attr = paddle.ParamAttr(initializer=paddle.nn.initializer.Assign(W), learning_rate=own)
    layer = paddle.nn.Linear(3, 1, weight_attr=attr, bias_attr=False)
    optimiser = paddle.optimizer.SGD(RATE, parameters=layer.parameters())
    layer(paddle.to_tensor(X)).sum().backward()
    optimiser.step()
    return layer.weight.numpy()


def naive_paddle():
    return stepped(OWN)


def right_paddle():
    return stepped(OWN / RATE)
