"""Live modules of any two frameworks: the same function passes, another is caught and its first layer named."""

import itertools
from typing import Any

import pytest

import frameworks
from common.port.weights import PortError
from convparity import assert_parity
from report.port.modules import compare_targets, lines
from tests.conftest import require
from tests.support.nets import NETS, flax_net, jax_net, scaled_net, torch_net

SHAPE = (3, 3, 12, 9)
FRAMEWORK = {"linen": "flax"}
# Differences that people have lost days to, each with what must be found and the layer where it starts.
FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "eps": ({"eps": 1.1e-5}, "output in evaluation", "features.1"),
    "momentum": ({"momentum": 0.9}, "running statistics", ""),
    "slope": ({"slope": 0.01}, "output in evaluation", "features.3"),
    "padding": ({"padding": 0}, "output in evaluation", "features.0"),
    "detached": ({"detached": True}, "gradient of the input: DIFFERS", ""),
    "frozen": ({"frozen": True}, "gradients: DIFFERS: trained in one only: ", ""),
}


def mutual(name: str) -> str:
    return FRAMEWORK.get(name, name)


@pytest.mark.parametrize("pair", [*itertools.combinations(frameworks.BACKENDS, 2), ("torch", "linen")], ids="-".join)
def test_the_same_network_agrees_between_any_two(pair: tuple[str, str], request: pytest.FixtureRequest) -> None:
    for name in pair:
        require(request.config, mutual(name))
    first, second = pair
    assert_parity(NETS[first](), NETS[second](), SHAPE)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("other", ["torch", "paddle"])
def test_a_fault_is_found_and_its_first_layer_named(fault: str, other: str, request: pytest.FixtureRequest) -> None:
    for name in ("torch", other):
        require(request.config, name)
    change, message, layer = FAULTS[fault]
    with pytest.raises(AssertionError, match=message.replace(".", r"\.")) as caught:
        assert_parity(torch_net(**change), NETS[other](), SHAPE)
    if layer:
        assert f"first layer that differs: `{layer}` (" in str(caught.value)


@pytest.mark.needs("torch", "jax")
@pytest.mark.parametrize(
    ("change", "layer"), [({"stride": 1}, "stem"), ({"eps": 1e-4}, "bn"), ({"slope": 0.01}, "conv1")]
)
def test_a_plain_functions_first_wrong_layer_is_named(change: dict[str, Any], layer: str) -> None:
    with pytest.raises(AssertionError, match=rf"first layer that differs: `\S+` \({layer}\)"):
        assert_parity(torch_net(), jax_net(**change), SHAPE)


@pytest.mark.needs("torch", "flax")
def test_flaxs_same_at_stride_2_is_another_padding() -> None:
    with pytest.raises(AssertionError, match=r"first layer that differs: `features.0` \(layers.0\)"):
        assert_parity(torch_net(), flax_net(padding="SAME"), (2, 3, 12, 10))


@pytest.mark.needs("torch")
def test_the_modules_stay_as_they_are() -> None:
    import torch

    net = torch_net().eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert_parity(net, torch_net(), SHAPE)
    assert not net.training
    assert net.features[4].p == 0.3
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert next(net.parameters()).dtype == torch.float32


@pytest.mark.needs("torch")
@pytest.mark.parametrize("places", ["everywhere", "in places"])
def test_what_is_not_finite_agrees_with_nothing(places: str) -> None:
    with pytest.raises(AssertionError, match=r"output in evaluation: DIFFERS: .* allowed nan"):
        assert_parity(scaled_net(places, 5.0), scaled_net(places, 7.0), SHAPE)


@pytest.mark.needs("torch")
def test_a_constant_output_is_refused() -> None:
    with pytest.raises(PortError, match="the output is nearly constant, so no port could fail"):
        assert_parity(scaled_net("nowhere", 0.0), scaled_net("nowhere", 0.0), SHAPE)


@pytest.mark.needs("torch")
def test_modules_of_other_layers_are_refused_with_the_list() -> None:
    from torch import nn

    with pytest.raises(PortError, match="the layers do not match") as caught:
        assert_parity(torch_net(), nn.Sequential(nn.Conv2d(3, 6, 3), nn.Flatten()), SHAPE)
    assert len(caught.value.details) == 4
    with pytest.raises(PortError) as caught:
        assert_parity(nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(8))), torch_net(), SHAPE)
    assert len(caught.value.details) == 6
    with pytest.raises(PortError, match="dict is no module of torch, paddle, jax, flax"):
        assert_parity(torch_net(), {}, SHAPE)


@pytest.mark.needs("torch", "flax", modules=("jax_resnet", "pytorchcv"))
def test_two_published_residual_networks_agree() -> None:
    """Their branches run in another order, and one is a linen module whose mode is what is mutable."""
    from jax_resnet import ResNet18
    from pytorchcv.models.resnet import resnet10

    assert_parity(resnet10(num_classes=10), ResNet18(stage_sizes=[1, 1, 1, 1], n_classes=10), (1, 3, 224, 224))


@pytest.mark.parametrize("name", ["torch", "jax", "flax"])
def test_paddles_mobilenet_agrees_with_ours_in_processes_of_their_own(
    name: str, request: pytest.FixtureRequest
) -> None:
    for backend in ("paddle", name):
        require(request.config, backend)
    published = "paddle.vision.models:mobilenet_v1(scale=0.125, num_classes=10)"
    block = f"convparity.{name}:mobilenet_v1(alpha=0.125, classes=10, bias=False, softmax=False, pool_size=2)"
    comparison = compare_targets(published, block, (2, 3, 64, 64))
    assert comparison.agrees, "\n".join(lines(comparison))
    assert len(comparison.alignment.names) == 55
    whats = [finding.what for finding in comparison.findings]
    assert whats == [
        "parameters",
        "output in evaluation",
        "output in training",
        "gradient of the input",
        "gradients of the parameters",
        "running statistics after a pass",
    ]
