"""`optax.adamw` decays biases and norms too, unless it has a mask

Recipes of convolution networks leave biases and norms out of the decay. Parameter groups of PyTorch, and
`apply_decay_param_fun` of Paddle, become `mask=`: a tree of booleans, or a function that makes one.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/google-deepmind/optax/issues/25",)
RELATED = ("https://github.com/vturrisi/solo-learn/pull/291",)
BIAS = 2.0
HARMFUL = ({"BIAS": -1.0},)
KERNEL = np.ones((1, 1), np.float32)
TERMS = 10


def source():
    import torch

    kernel, bias = torch.nn.Parameter(torch.tensor(KERNEL)), torch.nn.Parameter(torch.tensor([BIAS]))
    groups = [{"params": [kernel]}, {"params": [bias], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.5)
    kernel.grad, bias.grad = torch.zeros(1, 1), torch.zeros(1)
    optimiser.step()
    return bias.detach().numpy()


def source_paddle():
    import paddle

    layer = paddle.nn.Linear(1, 1)
    layer.bias.set_value(np.array([BIAS], np.float32))
    decayed = {layer.weight.name}
    optimiser = paddle.optimizer.AdamW(
        0.1, parameters=layer.parameters(), weight_decay=0.5, apply_decay_param_fun=lambda name: name in decayed
    )
    (layer(paddle.zeros([1, 1])) * 0).sum().backward()
    optimiser.step()
    return layer.bias.numpy()


def bias_after(rule):
    import jax
    import optax

    params = {"kernel": KERNEL, "bias": np.array([BIAS], np.float32)}
    updates, _ = rule.update(jax.tree.map(np.zeros_like, params), rule.init(params), params)
    moved: dict = optax.apply_updates(params, updates)  # type: ignore[assignment]
    return np.asarray(moved["bias"])


def naive_jax():
    import optax

    return bias_after(optax.adamw(0.1, weight_decay=0.5))


def right_jax():
    import jax
    import optax

    return bias_after(
        optax.adamw(0.1, weight_decay=0.5, mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params))
    )
