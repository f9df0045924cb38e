"""XLA's FLOPs of a padded convolution are fewer than twice the multiply-accumulates

XLA's cost analysis leaves out the taps that fall on padding. PyTorch's FlopCounterMode counts them, as nearly all
published figures do. Count multiply-accumulates from the shapes.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("counts-differ",)
THREADS = ("https://github.com/google/flax/issues/3392", "https://github.com/jax-ml/jax/issues/17912")
OUT, IN, KERNEL, SIZE = 2, 1, 2, 4


def source():
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        torch.nn.Conv2d(IN, OUT, KERNEL, padding="same", bias=False)(torch.ones(1, IN, SIZE, SIZE))
    return np.array(counter.get_total_flops())


def naive_jax():
    import jax
    from jax import lax

    def conv(x, kernel):
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME")

    x, kernel = np.ones((1, IN, SIZE, SIZE), np.float32), np.ones((OUT, IN, KERNEL, KERNEL), np.float32)
    return np.array(int(jax.jit(conv).lower(x, kernel).compile().cost_analysis()["flops"]))


def right_jax():
    y, kernel = (1, OUT, SIZE, SIZE), (OUT, IN, KERNEL, KERNEL)
    return np.array(2 * np.prod(y) * np.prod(kernel[1:]))
