"""Norms that one module has folded into its convolutions: aligned, said to be so, and compared in evaluation."""

import copy
import warnings
from typing import Any

import numpy as np
import pytest

from common.port.weights import PortError
from convparity import assert_parity, compare, port_module
from tests.conftest import require

kinds = pytest.importorskip("tests.support.kinds", reason="needs torch")
torch, nn = kinds.torch, kinds.nn
parametrize: Any = pytest.importorskip("torch.nn.utils.parametrize")
SHAPE = (2, 3, 6, 8)


def net(act: Any = nn.ReLU) -> Any:
    made: Any = nn.Sequential(kinds.conv(), nn.BatchNorm2d(4, 1e-3), act(), nn.Conv2d(4, 2, 1), nn.BatchNorm2d(2))
    with torch.no_grad():
        for value in made.state_dict().values():
            value.copy_(torch.rand(value.shape) + 0.5 if value.is_floating_point() else value)
    return made.eval()


def folded(made: Any) -> Any:
    fuse = torch.nn.utils.fusion.fuse_conv_bn_eval
    return nn.Sequential(fuse(made[0], made[1]), made[2], fuse(made[3], made[4]))


class Rep(nn.Module):
    """RepVGG's block as it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False, groups=2), nn.BatchNorm2d(4))
        self.point = nn.Sequential(nn.Conv2d(4, 4, 1, bias=False, groups=2), nn.BatchNorm2d(4))
        self.identity = nn.BatchNorm2d(4)

    def forward(self, x: Any) -> Any:
        return torch.relu(self.dense(x) + self.point(x) + self.identity(x))


def spectral(how: str, layer: Any = None) -> Any:
    norm = nn.utils.spectral_norm if how == "old" else nn.utils.parametrizations.spectral_norm
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return norm(layer or kinds.conv())


@pytest.mark.parametrize("swapped", [False, True])
def test_a_folded_norm_agrees_with_an_unfolded_one(swapped: bool) -> None:
    first, second = (folded(net()), net()) if swapped else (net(), folded(net()))
    comparison = compare(first, second, SHAPE)
    assert comparison.agrees
    which = "second" if swapped else "first"
    said = f"folded norms of the {which} into 2 layers, which only evaluation can compare"
    assert said in comparison.notes
    with pytest.raises(AssertionError, match=r"why: .*ReLU against ReLU6: values above 6"):
        assert_parity(net(), folded(net(nn.ReLU6)), SHAPE)


def test_training_branches_agree_with_the_deployed_convolution() -> None:
    deployed = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.ReLU())
    assert_parity(nn.Sequential(Rep(), Rep()), nn.Sequential(*deployed, *copy.deepcopy(deployed)), (2, 4, 6, 8))
    other = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.Tanh())
    with pytest.raises(PortError, match="the layers do not match"):
        assert_parity(Rep(), other, (2, 4, 6, 8))


def test_a_fold_as_it_is_and_one_that_went_wrong() -> None:
    first = net()
    second = folded(first)
    assert_parity(first, second, SHAPE, as_is=True)
    wrong = copy.deepcopy(first)
    wrong[1].eps = 0.5
    with pytest.raises(AssertionError, match=r"why: array `0\.weight` \(`0\.weight` in the folded module\)"):
        assert_parity(first, folded(wrong), np.ones(SHAPE), as_is=True)


def test_folded_norms_are_not_ported_and_the_refusal_says_what_to_do() -> None:
    one, deployed = nn.Sequential(Rep(), Rep()), nn.Conv2d(4, 4, 3, padding=1, groups=2)
    two = nn.Sequential(deployed, nn.ReLU(), copy.deepcopy(deployed), nn.ReLU())
    fold = "fold its norms (torch.nn.utils.fusion, or its own deploy method), and port the result"
    vanished = "port to a network without them, because weights do not tell what they were"
    for first, second, shape, which, remedy in (
        (net(), folded(net()), SHAPE, "first", fold),
        (one, two, (2, 4, 6, 8), "first", fold),
        (two, one, (2, 4, 6, 8), "second", vanished),
        (spectral("old"), kinds.conv(), SHAPE, "first", "remove its weight norm or spectral norm, and port the result"),
    ):
        with pytest.raises(PortError) as caught:
            port_module(first, second, shape)
        assert str(caught.value) == f"the {which} has norms that the other has folded into its weights: {remedy}"


@pytest.mark.parametrize("how", ["old", "new"])
@pytest.mark.parametrize("layer", [kinds.conv(), nn.ConvTranspose2d(3, 3, 3), nn.ConvTranspose2d(3, 4, 3)])
def test_spectral_norm_agrees_with_the_weight_that_it_computes(how: str, layer: Any) -> None:
    normed = spectral(how, copy.deepcopy(layer)).eval()
    comparison = compare(normed, layer, SHAPE)
    assert comparison.agrees
    said = "folded weight norm or spectral norm of the first into its weight, which only evaluation can compare"
    assert said in comparison.notes
    with pytest.raises(AssertionError, match=r"why: array `weight` .* is .* times what it must be"):
        assert_parity(normed, layer, SHAPE, as_is=True)
    removed = spectral(how, copy.deepcopy(layer)).eval()
    removed.load_state_dict(normed.state_dict())
    if how == "old":
        nn.utils.remove_spectral_norm(removed)
    else:
        parametrize.remove_parametrizations(removed, "weight")
    assert_parity(normed, removed, SHAPE, as_is=True)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_agrees_with_the_weight_that_it_computes(dim: int | None) -> None:
    assert_parity(nn.utils.parametrizations.weight_norm(kinds.conv(), dim=dim), kinds.conv(), SHAPE)


def test_two_spectral_norms_agree_in_training_if_they_move_their_vectors_alike() -> None:
    assert_parity(spectral("old"), spectral("old"), SHAPE)
    comparison = compare(spectral("old"), spectral("new"), SHAPE)
    assert comparison.mode == "training"
    assert not comparison.agrees
    assert comparison.reasons == ("power iteration 1 times, v first against 1 times, u first",)


def test_spectral_norm_is_ported_with_its_vectors(request: pytest.FixtureRequest) -> None:
    require(request.config, "paddle")
    import paddle

    first, second = spectral("old"), paddle.nn.utils.spectral_norm(paddle.nn.Conv2D(3, 4, 3))
    ported = port_module(first, second, SHAPE, training=True)
    assert ported.arrays["weight_u"].tolist() == first.weight_u.tolist()
    state: Any = ported.state
    second.set_state_dict(state)
    assert_parity(first, second, SHAPE, as_is=True)
