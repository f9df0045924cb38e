"""Paddle's `data_format="NHWC"` keeps the kernel as OIHW

It is the layout of the activations only. A kernel of Flax, HWIO, must still be transposed. Paddle raises unless the
sizes agree by chance, as those of a 3 x 3 kernel of 3 channels do; then the output is wrong.
"""

import numpy as np

FROM = "flax"
LAYERS = ("Conv2d",)
SYMPTOMS = ("raises", "layer-differs")
THREADS = ()
RELATED = (
    "https://github.com/PaddlePaddle/Paddle/pull/20597",
    "https://github.com/webmachinelearning/webnn/issues/125",
)
CHANNELS = 3
HARMFUL = ({"CHANNELS": 2},)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 5, 6, CHANNELS)).astype(np.float32)
W = rng.normal(0, 1, (3, 3, CHANNELS, 3)).astype(np.float32)  # HWIO
TERMS = CHANNELS * 3 * 3


def source():
    from flax import nnx

    layer = nnx.Conv(CHANNELS, 3, (3, 3), padding="VALID", use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = W
    return np.asarray(layer(X))


def conv(kernel):
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(kernel), data_format="NHWC").numpy()


def naive_paddle():
    return conv(W)


def right_paddle():
    return conv(W.transpose(3, 2, 0, 1))
