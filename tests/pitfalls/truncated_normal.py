"""`truncated_normal(0.02)` of JAX has a standard deviation of 0.0176

JAX and TensorFlow cut the normal distribution at two standard deviations: what is left is narrower by 0.88. PyTorch
cuts at -2 and 2 by default, which for a `std` of 0.02 cuts nothing. Divide by 0.8796.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("training-diverges",)
THREADS = ("https://github.com/google/flax/issues/4091",)
RELATED = ("https://github.com/huggingface/pytorch-image-models/issues/1286",)
SAMPLES = 500_000


def source():
    import torch

    torch.manual_seed(0)
    return torch.nn.init.trunc_normal_(torch.empty(SAMPLES), std=0.02).std().numpy()


def source_paddle():
    import paddle

    paddle.seed(0)
    normal = paddle.nn.initializer.TruncatedNormal(std=0.02)
    return paddle.create_parameter([SAMPLES], "float32", default_initializer=normal).std().numpy()


def std_of(stddev):
    import jax

    initial = jax.nn.initializers.truncated_normal(stddev)
    return np.asarray(initial(jax.random.key(0), (SAMPLES,)).std())


def naive_jax():
    return std_of(0.02)


def right_jax():
    return std_of(0.02 / 0.87962566)
