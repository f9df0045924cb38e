"""Kaiming's fan out ignores the groups in PyTorch

For a depthwise kernel [C, 1, k, k] `mode="fan_out"` counts C·k·k, although each input reaches only k·k outputs.
MobileNet's weights then start sqrt(C) times smaller than in TensorFlow, or in code that counts the groups. Decide which
you mean, and set the deviation itself.
"""

import math

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("training-diverges",)
THREADS = (
    "https://github.com/huggingface/pytorch-image-models/issues/84",
    "https://github.com/pytorch/pytorch/issues/23854",
)
CHANNELS = 64
SAMPLES = CHANNELS * 11 * 11


def source():
    import torch

    torch.manual_seed(0)
    conv = torch.nn.Conv2d(CHANNELS, CHANNELS, 11, groups=CHANNELS)
    torch.nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv.weight.std().detach().numpy()


def naive_flax():
    import jax

    group_aware = math.sqrt(2 / (11 * 11))
    return np.asarray(group_aware * jax.random.normal(jax.random.key(0), (11, 11, 1, CHANNELS))).std()


def right_flax():
    from flax import nnx

    fan_out = nnx.initializers.variance_scaling(2.0, "fan_out", "normal")
    conv = nnx.Conv(CHANNELS, CHANNELS, (11, 11), feature_group_count=CHANNELS, kernel_init=fan_out, rngs=nnx.Rngs(0))
    return np.asarray(conv.kernel[...].std())
