"""Clip the gradients after they are unscaled

Mixed precision in float16 multiplies the loss by a scale. Gradients that are clipped before they are divided by it are
clipped as if they were so many times larger: every step then has the same, tiny length. In PyTorch and Paddle call
`scaler.unscale_(optimizer)` before the clipping; a scale of your own in JAX is divided out before `optax` sees the
gradient. The loss below is float32, and PyTorch's scaler is that of a CPU. Paddle's is switched off on a CPU: not run.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges", "accuracy-lower")
THREADS = (
    "https://github.com/Lightning-AI/pytorch-lightning/issues/9599",
    "https://github.com/milesial/Pytorch-UNet/issues/468",
)
SCALE = 1024.0
NORM = 1.0
HARMFUL = ({"NORM": 100.0},)
HARMLESS = ({"SCALE": 1.0}, {"NORM": 1e5})
W = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENT = np.array([1.0, 2.0, -3.0], np.float32)
TERMS = 10


def source():
    import torch

    w = torch.nn.Parameter(torch.from_numpy(W.copy()))
    optimiser = torch.optim.SGD([w], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    scaler.scale((w * torch.from_numpy(GRADIENT)).sum()).backward()
    scaler.unscale_(optimiser)
    torch.nn.utils.clip_grad_norm_([w], NORM)
    scaler.step(optimiser)
    return w.detach().numpy()


def stepped(gradient, *rules):
    import optax

    rule = optax.chain(*rules, optax.sgd(0.1))
    updates, _ = rule.update(gradient, rule.init(W), W)
    return np.asarray(optax.apply_updates(W, updates))


def scaled_gradient():
    import jax

    return jax.grad(lambda w: SCALE * (w * GRADIENT).sum())(W)


def naive_jax():
    import optax

    return stepped(scaled_gradient(), optax.clip_by_global_norm(NORM), optax.scale(1 / SCALE))


def right_jax():
    import optax

    return stepped(scaled_gradient(), optax.scale(1 / SCALE), optax.clip_by_global_norm(NORM))
