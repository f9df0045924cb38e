"""`torch.from_numpy` shares the array's memory

`paddle.to_tensor` copies the array. After a port to PyTorch, writing the next batch into the array changes the tensor
of the previous batch. `jnp.asarray` copies too; `jax.device_put` of an aligned array may share it on a CPU: it did so
for one size of several that were tried. Copy what you write to again.
"""

import numpy as np

FROM = "paddle"
LAYERS = ()
SYMPTOMS = ("training-diverges",)
THREADS = (
    "https://github.com/mrdbourke/pytorch-deep-learning/issues/926",
    "https://github.com/pytorch/pytorch/issues/97586",
)


def source():
    import paddle

    batch = np.ones(3, np.float32)
    kept = paddle.to_tensor(batch)
    batch[:] = 7
    return kept.numpy()


def naive_torch():
    import torch

    batch = np.ones(3, np.float32)
    kept = torch.from_numpy(batch)
    batch[:] = 7
    return kept.numpy()


def right_torch():
    import torch

    batch = np.ones(3, np.float32)
    kept = torch.tensor(batch)
    batch[:] = 7
    return kept.numpy()
