"""Costs and shapes against what the frameworks' own counters and modules say, each in its own unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import frameworks
from common.layers import BatchNorm2d, Conv2d, Linear
from common.layers.values import SpecError
from common.spec import BlockSpec, Node
from common.spec.catalogue import NETWORKS, Case, cases
from common.spec.costs import cost
from common.spec.params import randomised

# Pools and norms differ from tool to tool; these cases have what all of them count alike.
COUNTED = [case for case in cases() if case.spec.family not in NETWORKS or case.name == "a025"]
PLAIN = [case for case in COUNTED if case.spec.family.endswith("_conv")]


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Conv2d, tuple[int, int, int, int]]:
    """A convolution over its whole vocabulary and an input that it can take."""
    size, small = st.integers(1, 4), st.integers(1, 3)
    groups = draw(small)
    kernel, dilation = draw(st.tuples(size, size)), draw(st.tuples(small, small))
    sides = st.tuples(st.integers(0, 2), st.integers(0, 2))
    padding = draw(st.tuples(sides, sides))
    layer = Conv2d(
        groups * draw(small), groups * draw(small), kernel, draw(st.tuples(small, small)), padding, dilation, groups,
        draw(st.booleans()),
    )  # fmt: skip
    least = [max(1, d * (k - 1) + 1 - sum(p)) for d, k, p in zip(dilation, kernel, padding, strict=True)]
    height, width = (draw(st.integers(low, low + 6)) for low in least)
    return layer, (draw(st.integers(1, 3)), layer.in_channels, height, width)


@pytest.mark.needs("torch")
@settings(max_examples=200, deadline=None, derandomize=True)
@given(convolutions())
def test_a_convolution_has_the_shape_count_and_cost_of_torchs(item: tuple[Conv2d, tuple[int, int, int, int]]) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    layer, shape = item
    (top, bottom), (left, right) = layer.padding
    module = torch.nn.Sequential(
        torch.nn.ZeroPad2d((left, right, top, bottom)),
        torch.nn.Conv2d(
            layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, 0, layer.dilation, layer.groups,
            layer.bias,
        ),
    ).to("meta")  # fmt: skip
    with FlopCounterMode(display=False) as counter:
        output = module(torch.empty(shape, device="meta"))
    spec = BlockSpec("one", {}, layer.in_channels, (Node("conv", layer),))
    assert spec.output_shape(shape) == tuple(output.shape)
    costs = cost(spec, shape)
    assert costs.trainable == sum(p.numel() for p in module.parameters())
    assert costs.flops == counter.get_total_flops()


@pytest.mark.needs("torch")
@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.booleans())
def test_norms_and_linear_layers_hold_what_torchs_hold(inputs: int, outputs: int, bias: bool, affine: bool) -> None:
    import torch

    linear, norm = torch.nn.Linear(inputs, outputs, bias), torch.nn.BatchNorm2d(inputs, affine=affine)
    shapes = {param.name: param.shape for param in Linear(inputs, outputs, bias).params()}
    assert shapes == {name: tuple(value.shape) for name, value in linear.named_parameters()}
    state = {name: tuple(value.shape) for name, value in norm.state_dict().items() if value.ndim}
    assert {param.name: param.shape for param in BatchNorm2d(inputs, affine=affine).params()} == state


@settings(max_examples=50, deadline=None, derandomize=True)
@given(convolutions(), st.integers(1, 9))
def test_a_map_smaller_than_the_kernel_is_refused(item: tuple[Conv2d, tuple[int, int, int, int]], less: int) -> None:
    layer, (n, c, _, width) = item
    height = layer.dilation[0] * (layer.kernel_size[0] - 1) + 1 - sum(layer.padding[0]) - less
    with pytest.raises(SpecError):
        BlockSpec("one", {}, c, (Node("conv", layer),)).output_shape((n, c, height, width))


@pytest.mark.needs("torch")
@pytest.mark.parametrize("case", COUNTED, ids=lambda case: case.id)
def test_torchs_counter_prints_twice_our_macs(case: Case) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    built = frameworks.load("torch").build(case.spec, randomised(case.spec))
    with FlopCounterMode(display=False) as counter:
        built.native(torch.zeros(case.input_shape))
    assert counter.get_total_flops() == cost(case.spec, case.input_shape).flops


@pytest.mark.needs("torch")
@pytest.mark.filterwarnings("ignore")  # fvcore traces with an API that torch deprecates
@pytest.mark.parametrize("case", COUNTED, ids=lambda case: case.id)
def test_fvcores_flops_of_convolutions_and_linear_layers_are_our_macs(case: Case) -> None:
    import torch
    from fvcore.nn import FlopCountAnalysis

    built = frameworks.load("torch").build(case.spec, randomised(case.spec))
    analysis = FlopCountAnalysis(built.native, torch.zeros(case.input_shape))
    by_operator = analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).by_operator()
    assert by_operator["conv"] + by_operator["linear"] == cost(case.spec, case.input_shape).macs


@pytest.mark.needs("jax")
@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.id)
def test_xlas_flops_are_twice_our_macs_less_what_falls_on_padding(case: Case) -> None:
    """XLA leaves out products with padding zeros and counts the bias; without either it is 2 x MACs."""
    import jax

    apply, params, stats = frameworks.load("jax").build(case.spec, randomised(case.spec)).native
    n, c, h, w = case.input_shape
    analysis = jax.jit(apply).lower(params, stats, np.zeros((n, h, w, c), np.float32)).cost_analysis()
    assert analysis
    counted = analysis["flops"]
    bias = np.prod(case.spec.output_shape(case.input_shape)) if case.spec.options["bias"] else 0
    flops = cost(case.spec, case.input_shape).flops
    if case.spec.options.get("padding", ((0, 0), (0, 0))) == ((0, 0), (0, 0)):
        assert counted - bias == flops
    else:
        assert 0.5 * flops < counted - bias < flops


@pytest.mark.needs("paddle")
@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.id)
def test_paddles_flops_are_our_macs_and_the_bias(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """Its counts are right; its table then fails, as numpy 2.4 does not make an int of an array of one element."""
    import paddle
    from paddle.hapi.dynamic_flops import count_convNd

    layer = frameworks.load("paddle").build(case.spec, randomised(case.spec)).native
    with pytest.raises(TypeError, match="only 0-dimensional arrays can be converted"):
        paddle.flops(layer, list(case.input_shape), custom_ops={type(layer.conv): count_convNd})
    bias = np.prod(case.spec.output_shape(case.input_shape)) if case.spec.options["bias"] else 0
    assert layer.conv.total_ops.item() == cost(case.spec, case.input_shape).macs + bias
