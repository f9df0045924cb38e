"""fvcore's "flops" are multiply-accumulates, XLA's are twice that, less the taps on padding

XLA's cost analysis and PyTorch's FlopCounterMode count a multiply-accumulate as 2. fvcore, thop and ptflops count it as
1. A ratio between the two is wrong by a factor of 2 where nothing is padded. With padding XLA leaves out the taps that
fall on it ([its own page](flops_of_padding.md)). fvcore counts a convolution without its bias, and adds values of
norms: its sum over a network is not its multiply-accumulates.
"""

import logging

import numpy as np

FROM = "jax"
LAYERS = ("Conv2d", "Linear")
SYMPTOMS = ("counts-differ",)
THREADS = ("https://github.com/facebookresearch/fvcore/issues/69",)
SHAPE = (1, 6, 8, 8)


def source():
    import jax
    from jax import lax

    def conv(x, kernel):
        return lax.conv_general_dilated(x, kernel, (1, 1), "VALID")

    compiled = jax.jit(conv).lower(np.ones(SHAPE, np.float32), np.ones((10, 6, 3, 3), np.float32)).compile()
    return np.array(int(compiled.cost_analysis()["flops"]))


def naive_torch():
    import torch
    from fvcore.nn import FlopCountAnalysis

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    counter = FlopCountAnalysis(torch.nn.Conv2d(6, 10, 3, bias=False), torch.ones(SHAPE))
    return np.array(int(counter.total()))


def right_torch():
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        torch.nn.Conv2d(6, 10, 3, bias=False)(torch.ones(SHAPE))
    return np.array(counter.get_total_flops())
