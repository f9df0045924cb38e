"""PyTorch refuses "same" with a stride

What "SAME" means at stride 2 depends on the size of the input, so `nn.Conv2d` does not offer it. Compute the number of
zeros and pad before the convolution.
"""

import numpy as np

FROM = "flax"
LAYERS = ("Conv2d",)
SYMPTOMS = ("raises",)
THREADS = ("https://github.com/pytorch/pytorch/issues/3867",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, 8, 6)).astype(np.float32)
W = rng.normal(0, 1, (3, 2, 3, 3)).astype(np.float32)
TERMS = 2 * 3 * 3


def source():
    from flax import nnx

    conv = nnx.Conv(2, 3, (3, 3), strides=2, padding="SAME", use_bias=False, rngs=nnx.Rngs(0))
    conv.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(conv(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def naive_torch():
    import torch

    conv = torch.nn.Conv2d(2, 3, 3, stride=2, padding="same", bias=False)
    conv.weight.data = torch.from_numpy(W)
    return conv(torch.from_numpy(X)).detach().numpy()


def same(size, kernel, stride):
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def right_torch():
    import torch

    height, width = (same(size, 3, 2) for size in X.shape[2:])
    x = torch.nn.functional.pad(torch.from_numpy(X), (*width, *height))
    return torch.nn.functional.conv2d(x, torch.from_numpy(W), stride=2).numpy()
