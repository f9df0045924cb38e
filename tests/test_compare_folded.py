"""Norms that one module has folded into its convolutions: aligned, said to be so, and compared in evaluation."""

import copy
from typing import Any

import numpy as np
import pytest

from common.port.weights import PortError
from convparity import assert_parity, compare, port_module

kinds = pytest.importorskip("tests.support.kinds", reason="needs torch")
torch, nn = kinds.torch, kinds.nn
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


def test_folded_norms_are_not_ported() -> None:
    with pytest.raises(PortError, match="the layers do not match"):
        port_module(net(), folded(net()), SHAPE)
