"""A square linear weight loads silently, transposed

PyTorch stores [out, in]; Paddle and Flax store [in, out]. If the two sizes differ, loading fails and the reason is
plain. If they are equal, loading succeeds with the wrong weight.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Linear",)
SYMPTOMS = ("layer-differs", "loading-fails")
THREADS = (
    "https://github.com/PaddlePaddle/docs/pull/5945",
    "https://github.com/PaddlePaddle/PaddleMIX/issues/239",
)
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (3, 8)).astype(np.float32)
W = rng.normal(0, 1, (8, 8)).astype(np.float32)  # [out, in]
TERMS = 8


def source():
    import torch

    return torch.nn.functional.linear(torch.from_numpy(X), torch.from_numpy(W)).numpy()


def paddle_linear(weight):
    import paddle

    layer = paddle.nn.Linear(8, 8, bias_attr=False)
    layer.set_state_dict({"weight": weight})
    return layer(paddle.to_tensor(X)).numpy()


def naive_paddle():
    return paddle_linear(W)


def right_paddle():
    return paddle_linear(W.T)


def flax_linear(kernel):
    from flax import nnx

    layer = nnx.Linear(8, 8, use_bias=False, rngs=nnx.Rngs(0))
    layer.kernel[...] = kernel
    return np.asarray(layer(X))


def naive_flax():
    return flax_linear(W)


def right_flax():
    return flax_linear(W.T)
