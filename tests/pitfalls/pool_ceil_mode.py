"""Flax's pools have no `ceil_mode`

With `ceil_mode=True` PyTorch keeps the last, incomplete window, but not one that would start in the padding at the end.
Flax drops it. Pad the end yourself, by as much as the last window overhangs. A maximum pool needs no more; an average
pool needs `count_include_pad=False` too, for PyTorch does not count what lies beyond its own padding.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("shape-differs",)
THREADS = ("https://github.com/google/flax/issues/2040",)
SIZE = 6
WINDOW = 3
STRIDE = 2
PADDING = 0
HARMFUL = ({"SIZE": 5, "WINDOW": 2}, {"SIZE": 6, "PADDING": 1})
HARMLESS = ({"SIZE": 7}, {"SIZE": 3, "WINDOW": 2, "PADDING": 1})
X = np.random.default_rng(0).normal(0, 1, (1, 2, SIZE, SIZE)).astype(np.float32)
TERMS = WINDOW * WINDOW


def source():
    import torch

    x, options = torch.from_numpy(X), {"stride": STRIDE, "padding": PADDING, "ceil_mode": True}
    greatest = torch.nn.functional.max_pool2d(x, WINDOW, **options)
    mean = torch.nn.functional.avg_pool2d(x, WINDOW, **options, count_include_pad=False)
    return torch.stack([greatest, mean]).numpy()


def pooled(sides):
    from flax import nnx

    window, strides, padding = (WINDOW, WINDOW), (STRIDE, STRIDE), (sides, sides)
    greatest = nnx.max_pool(X.transpose(0, 2, 3, 1), window, strides, padding)
    mean = nnx.avg_pool(X.transpose(0, 2, 3, 1), window, strides, padding, count_include_pad=False)
    return np.stack([greatest, mean]).transpose(0, 1, 4, 2, 3)


def naive_flax():
    return pooled((PADDING, PADDING))


def right_flax():
    windows = -((WINDOW - SIZE - 2 * PADDING) // STRIDE) + 1
    if (windows - 1) * STRIDE >= SIZE + PADDING:
        windows -= 1  # it would start in the padding at the end
    end = max((windows - 1) * STRIDE + WINDOW - SIZE - PADDING, PADDING)
    return pooled((PADDING, end))
