"""The optimisers in PyTorch."""

from collections.abc import Iterable

import torch

from common.oracle.optimisers import SGD, Optimiser


def native(optimiser: Optimiser, params: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
    """PyTorch's optimiser of ``params``.

    Porting notes: ``weight_decay`` of SGD and Adam is an L2 term added to the gradient; AdamW's is not.
    """
    if isinstance(optimiser, SGD):
        return torch.optim.SGD(params, optimiser.lr, momentum=optimiser.momentum, weight_decay=optimiser.weight_decay)
    return torch.optim.Adam(params, optimiser.lr, (optimiser.beta1, optimiser.beta2), optimiser.eps)
