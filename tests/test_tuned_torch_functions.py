"""What the tuned variant of PyTorch offers to any module: folding, freezing, and the layout inside."""

import copy
from typing import Any

import pytest

pytestmark = pytest.mark.needs("torch")


def network() -> Any:
    """Unequal padding and no bias before a norm without affine; bias and an unusual epsilon; a convolution alone."""
    import torch
    from torch import nn

    from frameworks.torch.layers import Conv2d

    net = nn.Sequential(
        Conv2d(4, 6, (3, 2), (2, 1), ((1, 0), (0, 1)), groups=2, bias=False),
        nn.BatchNorm2d(6, affine=False),
        nn.ReLU(),
        nn.Sequential(nn.Conv2d(6, 5, 1), nn.BatchNorm2d(5, eps=0.3)),
        nn.Conv2d(5, 2, 1),
    ).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                value.uniform_(0.5 if name.endswith("var") else -1, 2, generator=generator)
    return net


PAIRS = [("0", "1"), ("3.0", "3.1")]


def test_folding_keeps_the_function_and_the_module() -> None:
    import torch

    from frameworks.torch.tuned import fold

    net, x = network(), torch.randn(2, 4, 9, 8, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    folded: Any = fold(net, PAIRS)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    torch.testing.assert_close(folded(x), net.eval()(x), rtol=0, atol=1e-12)
    assert [name for name, part in folded.named_modules() if isinstance(part, torch.nn.Identity)] == ["1", "3.1"]
    assert folded[0].sides == net[0].sides == (0, 1, 1, 0)


def test_folded_weights_are_rounded_once() -> None:
    import torch

    from frameworks.torch.tuned import fold

    net = network().to(torch.bfloat16)
    folded, exact = fold(net, PAIRS), fold(network().to(torch.bfloat16).double(), PAIRS)
    for name, value in folded.state_dict().items():
        assert torch.equal(value, exact.state_dict()[name].bfloat16()), name


def test_a_convolution_that_is_called_twice_is_folded_in_one_place() -> None:
    import torch
    from torch import nn

    from frameworks.torch.tuned import fold

    conv = nn.Conv2d(3, 3, 1)
    net = nn.Sequential(conv, nn.BatchNorm2d(3, eps=0.5), conv).eval()
    x = torch.ones(1, 3, 2, 2)
    torch.testing.assert_close(fold(net, [("0", "1")])(x), net(x))


def test_folding_other_layers_is_an_error_of_one_line() -> None:
    from torch import nn

    from frameworks.torch.tuned import fold

    untracked = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False))
    for net, pair in ((network(), ("1", "0")), (network(), ("0", "2")), (untracked, ("0", "1"))):
        with pytest.raises(ValueError, match=r"^\('\d', '\d'\) must name an nn.Conv2d and an nn.BatchNorm2d with run"):
            fold(net, [pair])
    with pytest.raises(AttributeError, match="nowhere"):
        fold(network(), [("nowhere", "1")])


def activated() -> Any:
    """A norm with an activation inside, as timm's BatchNormAct2d."""
    from torch import nn

    class NormAct(nn.BatchNorm2d):
        def forward(self, input: Any) -> Any:  # noqa: A002 - the name in nn.BatchNorm2d
            return super().forward(input).clamp(-1000, 1000)

    return NormAct(3)


def doing(forward: Any, **parts: Any) -> Any:
    """A module that calls its parts so."""
    from torch import nn

    module = type("Net", (nn.Module,), {"forward": forward})()
    for name, part in parts.items():
        module.add_module(name, part)
    return module


def test_folding_what_would_be_another_function_is_an_error_of_one_line() -> None:
    import torch
    from torch import nn
    from torch.nn.utils.parametrizations import weight_norm

    from frameworks.torch.tuned import fold

    def conv() -> Any:
        return nn.Conv2d(3, 3, 1)

    hooked, patched = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    hooked.register_forward_hook(lambda module, inputs, output: -output)
    patched.forward = torch.neg
    wrong = {
        "nn.modules.conv.Conv2d and .*NormAct, which do more": nn.Sequential(conv(), activated()),
        "`1` of .* has hooks": nn.Sequential(conv(), hooked),
        "do more than": nn.Sequential(conv(), patched),
        "`0` of .* is parametrized": nn.Sequential(weight_norm(conv()), nn.BatchNorm2d(3)),
        "3 channels of the convolution, 4 of the norm": nn.Sequential(conv(), nn.BatchNorm2d(4)),
    }
    for words, net in wrong.items():
        with pytest.raises(ValueError, match=words):
            fold(net, [("0", "1")])
    named = {"a": conv(), "b": conv(), "norm": nn.BatchNorm2d(3)}
    for words, forward in {
        "something else than the norm reads `a`": lambda self, x: self.norm(y := self.a(x)) + y,
        "`norm` is also called on something else than the output of a": lambda self, x: self.norm(
            self.b(self.norm(self.a(x)))
        ),
        "also called on something else than the output of a": lambda self, a: self.norm(self.a(a)) + self.norm(a),
        "`norm` of .* is not called by the module": lambda self, x: self.a(x),
        "`a.weight` is read apart": lambda self, x: self.norm(self.a(x)) * self.a.weight.sum(),
        "torch.fx cannot trace Net": lambda self, x: self.norm(self.a(x)) if x.sum() > 0 else x,
    }.items():
        with pytest.raises(ValueError, match=words):
            fold(doing(forward, **named), [("a", "norm")])
    both = doing(lambda self, x: self.norm(self.a(x)) + self.norm(self.b(x)), **named).eval()
    nn.init.constant_(both.norm.running_mean, 0.5)
    x = torch.ones(1, 3, 2, 2)
    torch.testing.assert_close(fold(both, [("a", "norm"), ("b", "norm")])(x), both(x))


def test_pairs_are_found_and_what_cannot_be_folded_stays() -> None:
    import torch
    from torch import nn

    from frameworks.torch.tuned import fold

    class Activated(nn.BatchNorm2d):
        """With its activation for a child, as timm's BatchNormAct2d."""

        def __init__(self) -> None:
            super().__init__(3)
            self.drop, self.act = nn.Identity(), nn.PReLU(3)

        def forward(self, input: Any) -> Any:  # noqa: A002 - the name in nn.BatchNorm2d
            return self.act(self.drop(super().forward(input)))

    def forward(self: Any, x: Any) -> Any:
        y = self.read_twice(self.stem(x))
        return self.alone(self.hidden(self.norm(y) + y))

    parts = {
        "stem": nn.Sequential(nn.Conv2d(3, 3, 3, bias=False), Activated()),
        "read_twice": nn.Conv2d(3, 3, 1),
        "norm": nn.BatchNorm2d(3),
        "hidden": nn.Sequential(nn.Conv2d(3, 3, 1), activated()),
        "alone": nn.BatchNorm2d(3),
    }
    net = doing(forward, **parts)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                value.uniform_(0.5 if name.endswith("var") else -1, 2, generator=torch.Generator().manual_seed(0))
    folded: Any = fold(net)
    x = torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(folded(x), net.eval()(x))
    norms = [name for name, part in folded.named_modules() if isinstance(part, nn.BatchNorm2d)]
    assert norms == ["norm", "hidden.1", "alone"]
    assert [type(part) for part in folded.stem[1]] == [nn.Identity, nn.PReLU]
    assert [name for name, part in fold(network()).named_modules() if isinstance(part, nn.Identity)] == ["1", "3.1"]


def test_a_module_in_training_is_frozen_in_evaluation_mode() -> None:
    import torch

    from frameworks.torch.tuned import cpu

    norm = torch.nn.BatchNorm2d(3)
    module = torch.nn.Sequential(norm, torch.nn.Dropout())
    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(cpu.frozen(module, x)(x), copy.deepcopy(module).eval()(x))
    assert module.training
    assert torch.equal(norm.state_dict()["running_mean"], torch.zeros(3))


def test_a_module_works_in_channels_last_between_contiguous_tensors() -> None:
    import torch
    from torch import nn

    from frameworks.torch.tuned import in_channels_last

    conv = nn.Conv2d(4, 6, 3)
    x = torch.randn(2, 4, 7, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    right = conv(x)
    inside: list[Any] = []
    conv.register_forward_hook(lambda _, inputs, output: inside.extend([*inputs, output]))
    y = in_channels_last(conv)(x)
    y.sum().backward()
    assert all(tensor.is_contiguous(memory_format=torch.channels_last) for tensor in inside)
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert y.is_contiguous()
    assert x.grad is not None
    assert x.grad.is_contiguous()
    torch.testing.assert_close(y, right)


def test_a_frozen_module_has_constants_for_weights() -> None:
    """It is compiled once and takes the input only, in every mode of the caller."""
    import torch
    from torch._dynamo.utils import counters
    from torch._inductor import config

    from frameworks.torch.tuned import frozen

    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 5, 1)).eval()
    x = torch.randn(2, 3, 8, 7, generator=torch.Generator().manual_seed(0))
    right = module(x).detach()
    torch.compiler.reset()
    counters.clear()
    run = frozen(module, x)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        torch.testing.assert_close(run(x), right)
    with torch.inference_mode():
        torch.testing.assert_close(run(x), right)
    torch.testing.assert_close(run(x), right)
    assert counters["stats"]["unique_graphs"] == 1
    assert not config.freezing
