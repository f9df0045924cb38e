"""Norms folded into the convolutions before them, where that is the same function, which is looked at first."""

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrize import is_parametrized

Pair = tuple[str, str]


def fold(module: nn.Module, pairs: Iterable[Pair]) -> nn.Module:
    """A copy of the module in evaluation mode, its norms folded into the convolutions before them.

    For inference: a norm's scale and shift become part of the weight ``[out, in / groups, kh, kw]`` and
    of the bias ``[out]``, and its pass over the map is saved. The copy does not follow what the module learns later.

    A pair names a convolution and the norm that alone reads it, such as ``("stem.conv", "stem.norm")``. The arithmetic
    is that of ``torch.nn.utils.fusion``, in float64 and rounded once.

    Raises:
        AttributeError: if the module has no part of such a name.
        ValueError: if a pair is not a convolution and a norm with running statistics, and nothing more; or if
            ``torch.fx`` cannot trace the module, or finds in it that something else reads the convolution or feeds the
            norm.
    """
    folded, pairs = copy.deepcopy(module).eval(), [(conv, norm) for conv, norm in pairs]
    fused = {}
    for pair in pairs:
        conv, norm = parts = [copy.deepcopy(module.get_submodule(name)).eval() for name in pair]
        if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None:
            raise ValueError(f"{pair} must name an nn.Conv2d and an nn.BatchNorm2d with running statistics")
        fused[pair[0]] = _fused(pair, conv, norm)
        for name, part in zip(pair, parts, strict=True):
            folded.set_submodule(name, part)  # one of its own, also where another name is the same module
    _assert_read_by_norms_alone(folded, pairs)
    for conv, norm in pairs:
        folded.set_submodule(conv, fused[conv])
        folded.set_submodule(norm, nn.Identity())
    return folded


def _fused(pair: Pair, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Module:
    for name, part in zip(pair, (conv, norm), strict=True):
        if part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks:
            raise ValueError(f"`{name}` of {pair} has hooks, which folding would drop")
        if is_parametrized(part):
            raise ValueError(f"`{name}` of {pair} is parametrized: remove the parametrization first")
    if conv.out_channels != norm.num_features:
        raise ValueError(f"{pair}: {conv.out_channels} channels of the convolution, {norm.num_features} of the norm")
    dtype = conv.weight.dtype
    fused = fuse_conv_bn_eval(conv.double(), norm.double())
    if any("forward" in vars(part) for part in (conv, norm)) or (type(conv), type(norm)) != (nn.Conv2d, nn.BatchNorm2d):
        _assert_same(pair, nn.Sequential(conv, norm), fused)
    return fused.to(dtype)


@torch.inference_mode()
def _assert_same(pair: Pair, parts: nn.Sequential, fused: nn.Conv2d) -> None:
    """What a subclass does more than `nn.Conv2d` and `nn.BatchNorm2d`, such as an activation, shows in its output."""
    size = [8 + (k - 1) * d for k, d in zip(fused.kernel_size, fused.dilation, strict=True)]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, fused.in_channels, *size, dtype=torch.double, generator=generator)
    for scale in (1, 1e6):
        right = parts(scale * x.to(fused.weight.device))
        if not torch.allclose(fused(scale * x.to(fused.weight.device)), right, rtol=1e-9, atol=1e-9 * scale):
            names = " and ".join(f"{type(part).__module__}.{type(part).__name__}" for part in parts)
            raise ValueError(f"{pair} are {names}, which do more than an nn.Conv2d and an nn.BatchNorm2d")


class _Tracer(fx.Tracer):
    """Looks into those modules only that hold one of the ``names``."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(name.startswith(f"{module_qualified_name}.") for name in self._names)


def _assert_read_by_norms_alone(module: nn.Module, pairs: Sequence[Pair]) -> None:
    names = {name for pair in pairs for name in pair}
    try:
        nodes = _Tracer(names).trace(module).nodes
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"torch.fx cannot trace {type(module).__name__}, so that it cannot be seen what reads the convolutions: "
            f"{reason}"
        ) from error
    for node in nodes:
        if node.op == "get_attr" and any(str(node.target).startswith(f"{name}.") for name in names):
            raise ValueError(f"`{node.target}` is read apart from the call of its module, which folding changes")
    calls = {name: [node for node in nodes if node.op == "call_module" and node.target == name] for name in names}
    for pair in pairs:
        for name in pair:
            if not calls[name]:
                raise ValueError(f"`{name}` of {pair} is not called by {type(module).__name__}")
        if any(user.target != pair[1] or len(node.users) > 1 for node in calls[pair[0]] for user in node.users):
            raise ValueError(f"{pair}: something else than the norm reads `{pair[0]}`")
    for norm in {norm for _, norm in pairs}:
        convs = [conv for conv, other in pairs if other == norm]
        if any(getattr(node.args[0] if node.args else None, "target", None) not in convs for node in calls[norm]):
            raise ValueError(f"`{norm}` is also called on something else than the output of {' and '.join(convs)}")
