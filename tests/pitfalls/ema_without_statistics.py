"""An average of the parameters does not hold BatchNorm's running statistics

The averaged network is then evaluated with mean 0 and variance 1, as it was made. timm's `ModelEmaV2` and PyTorch's
`AveragedModel(use_buffers=True)` average the statistics too; `AveragedModel` alone does not. In Flax average
`nnx.BatchStat` beside `nnx.Param`, or copy it from the network that was trained.
"""

import numpy as np

FROM = "torch"
LAYERS = ("BatchNorm2d",)
SYMPTOMS = ("evaluation-differs", "accuracy-lower")
THREADS = ("https://github.com/pytorch/pytorch/issues/84053", "https://github.com/CuriousAI/mean-teacher/issues/9")
DECAY = 0.5
HARMFUL = ({"DECAY": 0.0},)
HARMLESS = ({"DECAY": 1.0},)
X = np.random.default_rng(0).normal(3, 2, (4, 2, 3, 3)).astype(np.float32)
TERMS = 4 * 3 * 3


def source():
    import torch
    from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

    norm = torch.nn.BatchNorm2d(2)
    average = AveragedModel(norm, avg_fn=get_ema_avg_fn(DECAY), use_buffers=True)
    average.n_averaged += 1  # the first update would copy
    norm(torch.from_numpy(X))
    average.update_parameters(norm)
    return np.asarray(average.module.running_mean)


def averaged(*kinds):
    """The running mean of the average after one step."""
    import jax
    from flax import nnx

    norm, average = (nnx.BatchNorm(2, momentum=0.9, rngs=nnx.Rngs(0)) for _ in range(2))
    norm(X.transpose(0, 2, 3, 1))
    old, new = nnx.state(average, nnx.Any(*kinds)), nnx.state(norm, nnx.Any(*kinds))
    nnx.update(average, jax.tree.map(lambda a, b: DECAY * a + (1 - DECAY) * b, old, new))
    return np.asarray(average.mean[...])


def naive_flax():
    from flax import nnx

    return averaged(nnx.Param)


def right_flax():
    from flax import nnx

    return averaged(nnx.Param, nnx.BatchStat)
