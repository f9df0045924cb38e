"""Paddle's `apply_decay_param_fun` gets names such as `linear_0.b_0`, not `fc.bias`

Recipes leave biases and norms out of the weight decay by their names. In Paddle the function is called with the name of
the parameter itself, which contains neither "bias" nor "norm.weight" of your attributes: everything is decayed. Collect
the names from `named_parameters()`. In optax pass a `mask`.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ()
RELATED = ("https://github.com/PaddlePaddle/PaddleNLP/pull/81", "https://github.com/vturrisi/solo-learn/pull/289")
BIAS = 2.0
HARMFUL = ({"BIAS": -1.0},)
TERMS = 10


def source():
    import torch

    layer = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(layer.bias, BIAS)
    groups = [{"params": [layer.weight]}, {"params": [layer.bias], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.5)
    layer.weight.grad, layer.bias.grad = torch.zeros(1, 1), torch.zeros(1)
    optimiser.step()
    return layer.bias.detach().numpy()


def stepped(decayed):
    import paddle

    layer = paddle.nn.Linear(1, 1)
    layer.bias.set_value(np.array([BIAS], np.float32))
    optimiser = paddle.optimizer.AdamW(
        0.1, parameters=layer.parameters(), weight_decay=0.5, apply_decay_param_fun=decayed(layer)
    )
    (layer(paddle.zeros([1, 1])) * 0).sum().backward()
    optimiser.step()
    return layer.bias.numpy()


def naive_paddle():
    return stepped(lambda layer: lambda name: "bias" not in name)


def right_paddle():
    def decayed(layer):
        names = {parameter.name for name, parameter in layer.named_parameters() if not name.endswith("bias")}
        return lambda name: name in names

    return stepped(decayed)
