"""A causal depthwise convolution needs its padding on one side

`nn.Conv1d(padding=k - 1)` followed by a slice to the input's length is causal. In Flax, "SAME" looks ahead, and so does
the same number of zeros on both sides without the slice. In the thread the outputs agree and the gradients do not:
compare both. (Below: the gradient of the kernel.)
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/google/flax/issues/4188", "https://github.com/intel/torch-xpu-ops/issues/4906")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (2, 3, 6)).astype(np.float32)  # NCL
W = rng.normal(0, 1, (3, 1, 4)).astype(np.float32)
DY = rng.normal(0, 1, (2, 3, 6)).astype(np.float32)
TERMS = 2 * 6


def source():
    import torch

    w = torch.from_numpy(W).requires_grad_()
    y = torch.nn.functional.conv1d(torch.from_numpy(X), w, padding=3, groups=3)[..., :6]
    y.backward(torch.from_numpy(DY))
    return w.grad.numpy()


def source_paddle():
    import paddle

    w = paddle.to_tensor(W, stop_gradient=False)
    y = paddle.nn.functional.conv1d(paddle.to_tensor(X), w, padding=3, groups=3)[..., :6]
    y.backward(paddle.to_tensor(DY))
    return w.grad.numpy()


def gradient(padding):
    from flax import nnx

    conv = nnx.Conv(3, 3, (4,), padding=padding, feature_group_count=3, use_bias=False, rngs=nnx.Rngs(0))
    conv.kernel[...] = W.transpose(2, 1, 0)
    gradients = nnx.grad(lambda conv: (conv(X.transpose(0, 2, 1)) * DY.transpose(0, 2, 1)).sum())(conv)
    return np.asarray(gradients["kernel"][...]).transpose(2, 1, 0)


def naive_flax():
    return gradient("SAME")


def right_flax():
    return gradient("CAUSAL")
