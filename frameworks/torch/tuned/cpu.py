"""The fastest forms of a block that were found for PyTorch on a CPU (AVX-512, one or two threads); NCHW shapes.

Inference: norms folded into convolutions; with two convolutions or more also ``torch.compile`` with frozen weights.
Training: ``torch.channels_last`` in a deep block, not compiled. Nothing was measured on another device.
"""

import copy
from collections.abc import Callable

import torch
from torch import nn
from torch._inductor import config as inductor

from .folding import fold

__all__ = ["COMPILED", "DEEP", "fold", "frozen", "in_channels_last"]

# Convolutions from which on it pays to compile inference, and to train in channels_last: fewer do not gain what
# converting the block's input and output costs. On one and two threads of CPUs with AVX-512, torch 2.13.
COMPILED, DEEP = 2, 8


def frozen(module: nn.Module, x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """The module in evaluation mode, its weights constants, compiled for inputs of the shape and layout of ``x``.

    So oneDNN's own order of a weight is found once instead of at every call, and activations become part of the
    convolutions before them. It is a copy, which does not follow what becomes of the module, and gives tensors without
    gradients. In float64, which oneDNN has not, it is compiled alone: torch 2.13 cannot freeze it (docs/upstream).

    For any other input, and after ``torch.compiler.reset()``, it is compiled again as by ``torch.compile`` alone: right
    but slower. Like that, it leaves a class of which it has compiled eight modules as it is, with no more than a
    warning. Source: https://github.com/pytorch/pytorch/pull/100652
    """
    compiled = torch.compile(copy.deepcopy(module).eval())

    # Compiled in this mode, and so to be called in it: in another it would be compiled once more.
    @torch.inference_mode()
    def run(x: torch.Tensor) -> torch.Tensor:
        return compiled(x)

    with inductor.patch(freezing=x.dtype != torch.float64):
        run(x)
    return run


def in_channels_last(module: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """The module as a function of contiguous tensors that itself works in ``torch.channels_last``, in NHWC memory.

    For training of `DEEP` blocks on a CPU. Takes ``[n, c, h, w]`` and gives a contiguous tensor, as the
    module would; gradients of the input are contiguous too. The module's weights are converted in place. Whoever has
    channels_last tensors, and wants such, calls the module itself, at any depth. In training, norms of an input whose
    mean is far above its deviation are less exact so: their statistics round more. Source:
    https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html
    """
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(x: torch.Tensor) -> torch.Tensor:
        return module(x.to(memory_format=torch.channels_last)).contiguous()

    return run
