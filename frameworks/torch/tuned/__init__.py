"""The fastest forms of a block that were found for PyTorch on a CPU (AVX-512, one or two threads); NCHW shapes.

Inference: norms folded into convolutions; in a deep block also ``torch.channels_last`` and ``torch.compile``. Training:
``torch.channels_last`` in a deep block, not compiled. Nothing was measured on another device.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from common.layers import BatchNorm2d, Conv2d
from common.spec import BlockSpec

DEEP = 8


def deep(spec: BlockSpec) -> bool:
    """Whether a block has so many convolutions that they gain what converting its input and output costs, or more.

    About here a training step of separable convolutions broke even, on one thread of a CPU with AVX-512 and torch 2.13.
    """
    return sum(isinstance(node.layer, Conv2d) for node in spec.nodes) >= DEEP


def foldable(spec: BlockSpec) -> list[tuple[str, str]]:
    """Names of the convolutions that nothing but a norm reads, each with its norm."""
    readers = Counter(source for node in spec.nodes for source in node.inputs)
    convolutions = {node.name for node in spec.nodes if isinstance(node.layer, Conv2d) and readers[node.name] == 1}
    norms = [node for node in spec.nodes if isinstance(node.layer, BatchNorm2d)]
    return [(node.inputs[0], node.name) for node in norms if node.inputs[0] in convolutions]


def fold(module: nn.Module, pairs: Iterable[tuple[str, str]]) -> nn.Module:
    """A copy of the module in evaluation mode, its norms folded into the convolutions before them.

    For inference: a norm's scale and shift become part of the weight ``[out, in / groups, kh, kw]`` and
    of the bias ``[out]``, and its pass over the map is saved. The copy does not follow what the module learns later.

    A pair names a convolution and the norm that alone reads it, such as ``("stem.conv", "stem.norm")``: this cannot be
    seen in a module. The arithmetic is that of ``torch.nn.utils.fusion``, in float64 and rounded once.

    Raises:
        AttributeError: if the module has no part of such a name.
        ValueError: if a pair is not a convolution and a norm with running statistics.
    """
    folded = copy.deepcopy(module).eval()
    for pair in pairs:
        conv, norm = (module.get_submodule(name) for name in pair)
        if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None:
            raise ValueError(f"{pair} must name an nn.Conv2d and an nn.BatchNorm2d with running statistics")
        fused = fuse_conv_bn_eval(copy.deepcopy(conv).eval().double(), copy.deepcopy(norm).eval().double())
        folded.set_submodule(pair[0], fused.to(conv.weight.dtype))
        folded.set_submodule(pair[1], nn.Identity())
    return folded


def in_channels_last(module: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """The module as a function of contiguous tensors that itself works in ``torch.channels_last``, in NHWC memory.

    For inference and training of `deep` blocks on a CPU. Takes ``[n, c, h, w]`` and gives a contiguous tensor, as the
    module would; gradients of the input are contiguous too. The module's weights are converted in place. Whoever has
    channels_last tensors, and wants such, calls the module itself, at any depth. In training, norms of an input whose
    mean is far above its deviation are less exact so: their statistics round more. Source:
    https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html
    """
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(x: torch.Tensor) -> torch.Tensor:
        return module(x.to(memory_format=torch.channels_last)).contiguous()

    return run
