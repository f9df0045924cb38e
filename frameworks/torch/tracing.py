"""Looking at the layers inside a module."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def tapped(module: nn.Module, names: frozenset[str], gradients: bool) -> Iterator[dict[str, torch.Tensor]]:
    """While active, collects the outputs of these submodules; with ``gradients`` they keep their gradients."""
    outputs: dict[str, torch.Tensor] = {}

    def keep(name: str, output: torch.Tensor) -> None:
        outputs[name] = output
        if gradients and output.requires_grad:
            output.retain_grad()

    handles = [
        child.register_forward_hook(lambda _, inputs, output, name=name: keep(name, output))
        for name, child in module.named_modules()
        if name in names
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
