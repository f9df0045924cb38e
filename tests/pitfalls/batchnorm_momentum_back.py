"""A momentum of 0.99 from Flax or TensorFlow makes PyTorch forget the old batches

In Flax 0.99 is the weight of the old value; in PyTorch it is the weight of the *new* one. Evaluation then normalises by
the last batch. A published model made this mistake (see the thread).
"""

import numpy as np

FROM = "flax"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs", "accuracy-lower")
THREADS = (
    "https://github.com/pytorch/vision/issues/8250",
    "https://github.com/lukemelas/EfficientNet-PyTorch/issues/3",
)
TERMS = 2 * 5 * 7
X = np.random.default_rng(0).normal(3, 2, (2, 3, 5, 7)).astype(np.float32)


def source():
    from flax import nnx

    norm = nnx.BatchNorm(3, momentum=0.99, rngs=nnx.Rngs(0))
    norm(X.transpose(0, 2, 3, 1))
    return np.asarray(norm.mean[...])


def running_mean(momentum):
    import torch

    norm = torch.nn.BatchNorm2d(3, momentum=momentum)
    norm(torch.from_numpy(X))
    return norm.running_mean.numpy()


def naive_torch():
    return running_mean(0.99)


def right_torch():
    return running_mean(1 - 0.99)
