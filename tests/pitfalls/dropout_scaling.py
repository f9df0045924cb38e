"""Paddle's other dropout scales at inference

`mode="downscale_in_infer"` was the default of the old `fluid` API, spelt `downgrade_in_infer` there. It does not scale
in training, and multiplies by 1 - p in evaluation. PyTorch's dropout does nothing in evaluation.
"""

import numpy as np

FROM = "torch"
LAYERS = ("Dropout",)
SYMPTOMS = ("evaluation-differs",)
THREADS = (
    "https://github.com/PaddlePaddle/Paddle/issues/22988",
    "https://github.com/tensorlayer/TensorLayerX/issues/31",
)
X = np.random.default_rng(0).normal(0, 1, (2, 8)).astype(np.float32)


def source():
    import torch

    return torch.nn.Dropout(0.3).eval()(torch.from_numpy(X)).numpy()


def source_flax():
    from flax import nnx

    return np.asarray(nnx.Dropout(0.3, deterministic=True)(X))


def naive_paddle():
    import paddle

    layer = paddle.nn.Dropout(0.3, mode="downscale_in_infer")
    layer.eval()
    return layer(paddle.to_tensor(X)).numpy()


def right_paddle():
    import paddle

    layer = paddle.nn.Dropout(0.3, mode="upscale_in_train")
    layer.eval()
    return layer(paddle.to_tensor(X)).numpy()
