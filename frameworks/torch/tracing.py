"""Looking at the layers inside a module."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def tapped(module: nn.Module, names: frozenset[str], gradients: bool) -> Iterator[dict[str, torch.Tensor]]:
    """While active, collects the outputs of the submodules of these names, which may keep their gradients."""
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, output: torch.Tensor) -> None:
        seen[name] = output
        if gradients and output.requires_grad:
            output.retain_grad()

    handles = [
        child.register_forward_hook(lambda _, inputs, output, name=name: keep(name, output))
        for name, child in module.named_modules()
        if name in names
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
