"""The fastest forms of a block that were found for PyTorch on a CPU (AVX-512, one or two threads); NCHW shapes.

Inference: norms folded into convolutions; with two convolutions or more also ``torch.compile`` with frozen weights.
Training: ``torch.channels_last`` in a deep block, not compiled. Nothing was measured on another device.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch._inductor import config as inductor
from torch.nn.utils.fusion import fuse_conv_bn_eval

from common.layers import BatchNorm2d, Conv2d
from common.spec import BlockSpec

# Convolutions from which on it pays to compile inference, and to train in channels_last: fewer do not gain what
# converting the block's input and output costs. On one and two threads of CPUs with AVX-512, torch 2.13.
COMPILED, DEEP = 2, 8


def convolutions(spec: BlockSpec) -> int:
    """How many a block has."""
    return sum(isinstance(node.layer, Conv2d) for node in spec.nodes)


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


def frozen(module: nn.Module, x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """The module, in evaluation mode, compiled for inputs of the shape and layout of ``x``, its weights made constants.

    So oneDNN's own order of a weight is found once instead of at every call, and activations become part of the
    convolutions before them. It does not follow what the module learns later, and gives tensors without gradients. In
    float64, which oneDNN has not, it is compiled alone: torch 2.13 cannot freeze it (docs/upstream).

    For any other input, and after ``torch.compiler.reset()``, it is compiled again as by ``torch.compile`` alone: right
    but slower. Like that, it leaves a class of which it has compiled eight modules as it is, with no more than a
    warning. Source: https://github.com/pytorch/pytorch/pull/100652
    """
    compiled = torch.compile(module)

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
