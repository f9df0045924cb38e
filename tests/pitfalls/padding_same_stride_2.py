""" "SAME" at stride 2 pads the bottom and right only

For a kernel of 3 on an even size, `padding=1` puts a zero on both sides and "SAME" puts one zero at the end. The shapes
agree, but every window is shifted by one pixel. Give the padding in numbers. With stride 1 the two agree; with stride 2
they agree on odd sizes, where "SAME" has two zeros to share.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs",)
THREADS = ("https://github.com/google/flax/issues/2993", "https://github.com/keras-team/keras/issues/16363")
STRIDE = 2
HEIGHT = 8
WIDTH = 6
HARMFUL = ({"HEIGHT": 8, "WIDTH": 7}, {"STRIDE": 3, "HEIGHT": 8, "WIDTH": 8})
HARMLESS = ({"STRIDE": 1}, {"HEIGHT": 7, "WIDTH": 5})
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 2, HEIGHT, WIDTH)).astype(np.float32)
W = rng.normal(0, 1, (3, 2, 3, 3)).astype(np.float32)
TERMS = 2 * 3 * 3


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W), stride=STRIDE, padding=1).numpy()


def jax_conv(padding):
    from jax import lax

    y = lax.conv_general_dilated(
        X.transpose(0, 2, 3, 1),
        W.transpose(2, 3, 1, 0),
        (STRIDE, STRIDE),
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_jax():
    return jax_conv("SAME")


def right_jax():
    return jax_conv(((1, 1), (1, 1)))


def flax_conv(padding):
    from flax import nnx

    layer = nnx.Conv(2, 3, (3, 3), strides=STRIDE, padding=padding, use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W.transpose(2, 3, 1, 0)
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def naive_flax():
    return flax_conv("SAME")


def right_flax():
    return flax_conv(1)


def paddle_conv(padding):
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W), stride=STRIDE, padding=padding).numpy()


def naive_paddle():
    return paddle_conv("SAME")


def right_paddle():
    return paddle_conv(1)
