"""A penalty in the loss is clipped with its gradient; `weight_decay` is added after the clipping

Where the loss holds the L2 penalty, `clip_grad_norm_` clips the sum of both gradients. `weight_decay` and `grad_clip`
of a Paddle optimiser clip the loss's gradient first and then add the decay, and so does `optax.chain` if the clipping
is named first. The two agree while nothing is clipped. Keep the penalty in the loss, or name the decay first.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = ("https://github.com/apache/mxnet/issues/9881",)
RELATED = ("https://github.com/google-deepmind/optax/issues/494",)
DECAY = 0.5
NORM = 1.0
HARMFUL = ({"NORM": 0.1}, {"DECAY": 0.1})
HARMLESS = ({"NORM": 100.0},)
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([1.0, 2.0, -3.0], np.float32)
TERMS = 10


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.SGD([w], lr=0.1)
    ((w * torch.from_numpy(GRADIENT)).sum() + DECAY / 2 * w.square().sum()).backward()
    torch.nn.utils.clip_grad_norm_([w], NORM)
    optimiser.step()
    return w.detach().numpy()


def paddle_step(decay, penalty):
    import paddle

    w = paddle.create_parameter([3], "float32")
    w.set_value(W)
    clip = paddle.nn.ClipGradByGlobalNorm(NORM)
    optimiser = paddle.optimizer.SGD(0.1, parameters=[w], weight_decay=decay, grad_clip=clip)
    ((w * paddle.to_tensor(GRADIENT)).sum() + penalty / 2 * w.square().sum()).backward()
    optimiser.step()
    return w.numpy()


def naive_paddle():
    return paddle_step(decay=DECAY, penalty=0.0)


def right_paddle():
    return paddle_step(decay=None, penalty=DECAY)


def source_paddle():
    return right_paddle()


def optax_step(*rules):
    import optax

    rule = optax.chain(*rules, optax.sgd(0.1))
    updates, _ = rule.update(GRADIENT, rule.init(W), W)
    return np.asarray(optax.apply_updates(W, updates))


def naive_jax():
    import optax

    return optax_step(optax.clip_by_global_norm(NORM), optax.add_decayed_weights(DECAY))


def right_jax():
    import optax

    return optax_step(optax.add_decayed_weights(DECAY), optax.clip_by_global_norm(NORM))
