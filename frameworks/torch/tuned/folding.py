"""Norms folded into the convolutions before them, where that is the same function, which is looked at first."""

import copy
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrize import is_parametrized

Pair = tuple[str, str]


def fold(module: nn.Module, pairs: Iterable[Pair] | None = None) -> nn.Module:
    """A copy of the module in evaluation mode, its norms folded into the convolutions before them.

    For inference: a norm's scale and shift become part of the weight ``[out, in / groups, kh, kw]`` and
    of the bias ``[out]``, and its pass over the map is saved. The copy does not follow what the module learns later.

    A pair names a convolution and the norm that alone reads it, such as ``("stem.conv", "stem.norm")``. Without pairs
    all are folded that can be, and others stay. A subclass of a norm may have an activation for a child, which stays.
    The arithmetic is that of ``torch.nn.utils.fusion``, in float64 and rounded once.

    Raises:
        AttributeError: if the module has no part of such a name.
        ValueError: if ``torch.fx`` cannot trace the module; or if a pair is not a convolution and a norm with running
            statistics, and nothing more, or something else reads the convolution or feeds the norm.
    """
    folded = copy.deepcopy(module).eval()
    pairs = list(_found(folded) if pairs is None else pairs)
    replaced: dict[str, nn.Module] = {}
    for pair in pairs:
        for name in pair:  # one of its own, also where another name is the same module
            folded.set_submodule(name, copy.deepcopy(module.get_submodule(name)).eval())
        replaced |= zip(pair, _fused(folded, pair), strict=True)
    _assert_read_by_norms_alone(_nodes(folded, {name for pair in pairs for name in pair}), pairs)
    for name, part in replaced.items():
        folded.set_submodule(name, part)
    return folded


def _found(module: nn.Module) -> Iterator[Pair]:
    """All pairs of a module in evaluation mode that can be folded."""
    kinds = {name: type(part) for name, part in module.named_modules()}
    nodes = _nodes(module, {name for name, kind in kinds.items() if issubclass(kind, (nn.Conv2d, nn.BatchNorm2d))})
    feeding: dict[str, dict[str, None]] = {}
    for node in nodes:
        if node.op == "call_module" and issubclass(kinds[str(node.target)], nn.BatchNorm2d):
            feeding.setdefault(str(node.target), {})[_source(node)] = None
    for norm, convs in feeding.items():
        pairs = [(conv, norm) for conv in convs]
        try:
            _assert_read_by_norms_alone(nodes, pairs)
            for pair in pairs:
                _fused(module, pair)
        except ValueError:
            continue
        yield from pairs


def _fused(module: nn.Module, pair: Pair) -> tuple[nn.Module, nn.Module]:
    """What takes the places of the convolution and of the norm."""
    conv, norm = parts = [copy.deepcopy(module.get_submodule(name)) for name in pair]
    if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None:
        raise ValueError(f"{pair} must name an nn.Conv2d and an nn.BatchNorm2d with running statistics")
    for name, part in zip(pair, parts, strict=True):
        if part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks:
            raise ValueError(f"`{name}` of {pair} has hooks, which folding would drop")
        if is_parametrized(part):
            raise ValueError(f"`{name}` of {pair} is parametrized: remove the parametrization first")
    if conv.out_channels != norm.num_features:
        raise ValueError(f"{pair}: {conv.out_channels} channels of the convolution, {norm.num_features} of the norm")
    dtype, rest = conv.weight.dtype, nn.Identity()
    fused = fuse_conv_bn_eval(conv.double(), norm.double())
    if any("forward" in vars(part) for part in parts) or (type(conv), type(norm)) != (nn.Conv2d, nn.BatchNorm2d):
        # What a subclass does more than these, such as an activation, shows in its output.
        rests = [rest, nn.Sequential(*norm.children())]
        same = [rest for rest in rests if _same(nn.Sequential(conv, norm), nn.Sequential(fused, rest), fused)]
        if not same:
            names = " and ".join(f"{type(part).__module__}.{type(part).__name__}" for part in parts)
            raise ValueError(f"{pair} are {names}, which do more than an nn.Conv2d and an nn.BatchNorm2d")
        rest = same[0]
    return fused.to(dtype), rest.to(dtype)


@torch.inference_mode()
def _same(parts: nn.Sequential, folded: nn.Sequential, conv: nn.Conv2d) -> bool:
    size = [8 + (k - 1) * d for k, d in zip(conv.kernel_size, conv.dilation, strict=True)]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, conv.in_channels, *size, dtype=torch.double, generator=generator).to(conv.weight.device)
    pairs = [(scale, parts(scale * x), folded(scale * x)) for scale in (1, 1e6)]
    return all(torch.allclose(y, right, rtol=1e-9, atol=1e-9 * scale) for scale, right, y in pairs)


class _Tracer(fx.Tracer):
    """Looks into those modules only that hold one of the ``names``."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(name.startswith(f"{module_qualified_name}.") for name in self._names)


def _nodes(module: nn.Module, names: set[str]) -> list[fx.Node]:
    """What a module does, in calls of the parts of these names and of others."""
    try:
        return list(_Tracer(names).trace(module).nodes)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"torch.fx cannot trace {type(module).__name__}, so that it cannot be seen what reads the convolutions: "
            f"{reason}"
        ) from error


def _source(node: fx.Node) -> str:
    """The part whose output a call reads; no name if that is something else."""
    source = node.args[0] if node.args else None
    return str(source.target) if isinstance(source, fx.Node) and source.op == "call_module" else ""


def _assert_read_by_norms_alone(nodes: Sequence[fx.Node], pairs: Sequence[Pair]) -> None:
    names = {name for pair in pairs for name in pair}
    for node in nodes:
        if node.op == "get_attr" and any(str(node.target).startswith(f"{name}.") for name in names):
            raise ValueError(f"`{node.target}` is read apart from the call of its module, which folding changes")
    calls = {name: [node for node in nodes if node.op == "call_module" and node.target == name] for name in names}
    for pair in pairs:
        for name in pair:
            if not calls[name]:
                raise ValueError(f"`{name}` of {pair} is not called by the module")
        if any(user.target != pair[1] or len(node.users) > 1 for node in calls[pair[0]] for user in node.users):
            raise ValueError(f"{pair}: something else than the norm reads `{pair[0]}`")
    for norm in {norm for _, norm in pairs}:
        convs = [conv for conv, other in pairs if other == norm]
        if any(_source(node) not in convs for node in calls[norm]):
            raise ValueError(f"`{norm}` is also called on something else than the output of {' and '.join(convs)}")
