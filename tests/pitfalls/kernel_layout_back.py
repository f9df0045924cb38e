"""The way back is another transpose

OIHW becomes HWIO by (2, 3, 1, 0). The same four numbers do not lead back: HWIO becomes OIHW by (3, 2, 0, 1). If all
four sizes are equal, as for a 3 x 3 kernel of 3 channels, the wrong transpose raises nothing.
"""

import numpy as np

FROM = "flax"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs", "loading-fails")
THREADS = ("https://github.com/alexlee-gk/lpips-tensorflow/issues/2", "https://github.com/microsoft/MMdnn/issues/394")
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 3, 6, 5)).astype(np.float32)
W = rng.normal(0, 1, (3, 3, 3, 3)).astype(np.float32)  # HWIO
TERMS = 3 * 3 * 3


def source():
    from flax import nnx

    conv = nnx.Conv(3, 3, (3, 3), padding="VALID", use_bias=False, rngs=nnx.Rngs(0))
    conv.kernel[...] = W
    return np.asarray(conv(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def torch_conv(kernel):
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(kernel.copy())).numpy()


def naive_torch():
    return torch_conv(W.transpose(2, 3, 1, 0))


def right_torch():
    return torch_conv(W.transpose(3, 2, 0, 1))


def paddle_conv(kernel):
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(kernel)).numpy()


def naive_paddle():
    return paddle_conv(W.transpose(2, 3, 1, 0))


def right_paddle():
    return paddle_conv(W.transpose(3, 2, 0, 1))
