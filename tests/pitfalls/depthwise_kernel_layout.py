"""JAX's depthwise kernel is [kh, kw, 1, C·m], not TensorFlow's [kh, kw, C, m]

TensorFlow has a separate axis for the multiplier. JAX and Flax have an input axis of length 1 and one axis of C·m
output channels, in which the m kernels of one channel are neighbours. An order by multiplier first has the right shape
and the wrong channels.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Conv2d",)
SYMPTOMS = ("layer-differs", "loading-fails")
THREADS = ("https://github.com/apache/tvm/issues/5132",)
RELATED = ("https://github.com/tensorflow/tensorflow/pull/24952",)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 3, 6, 5)).astype(np.float32)
W = rng.normal(0, 1, (6, 1, 3, 3)).astype(np.float32)  # 3 channels, multiplier 2
TERMS = 3 * 3


def source():
    import torch

    return torch.nn.functional.conv2d(torch.from_numpy(X), torch.from_numpy(W), groups=3).numpy()


def source_paddle():
    import paddle

    return paddle.nn.functional.conv2d(paddle.to_tensor(X), paddle.to_tensor(W), groups=3).numpy()


def depthwise(kernel):
    from jax import lax

    y = lax.conv_general_dilated(
        X.transpose(0, 2, 3, 1),
        kernel,
        (1, 1),
        "VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=3,
    )
    return np.asarray(y).transpose(0, 3, 1, 2)


def naive_jax():
    tensorflow = W.reshape(3, 2, 3, 3).transpose(2, 3, 0, 1)  # [kh, kw, C, m]
    return depthwise(tensorflow.swapaxes(2, 3).reshape(3, 3, 1, 6))


def right_jax():
    return depthwise(W.transpose(2, 3, 1, 0))
