"""Initial values are the spec's, and arrays survive the disk and are refused when they do not fit."""

import math
from pathlib import Path

import numpy as np
import pytest

from common.spec.catalogue import block
from common.spec.params import fan, fits, initial, load, randomised, save

SMALL = block("conv_bn_act", in_channels=3, out_channels=4, bias=True)


def test_torchs_default_is_uniform_in_one_over_root_fan_in() -> None:
    arrays = initial(block("standard_conv", in_channels=64, out_channels=64))
    bound = 1 / math.sqrt(64 * 9)
    for name in ("conv.weight", "conv.bias"):
        assert np.abs(arrays[name]).max() <= bound
    assert arrays["conv.weight"].std() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert arrays["conv.bias"].std() > 0


@pytest.mark.parametrize(("group_aware", "fan_out"), [(False, 1024 * 9), (True, 9)])
def test_mobilenets_depthwise_weights_say_whether_groups_count(group_aware: bool, fan_out: int) -> None:
    arrays = initial(block("mobilenet_v1", group_aware_init=group_aware))
    depthwise, pointwise = arrays["blocks.12.depthwise.conv.weight"], arrays["blocks.12.pointwise.conv.weight"]
    assert depthwise.std() == pytest.approx(math.sqrt(2 / fan_out), rel=0.05)
    assert pointwise.std() == pytest.approx(math.sqrt(2 / 1024), rel=0.02)
    assert arrays["linear.weight"].std() == pytest.approx(0.01, rel=0.02)
    assert not any(arrays[name].any() for name in arrays if name.endswith("bias"))
    assert (arrays["stem.norm.weight"] == 1).all()
    assert (arrays["stem.norm.running_var"] == 1).all()


def test_fans_by_hand() -> None:
    assert (fan((8, 2, 3, 5)), fan((8, 2, 3, 5), "out"), fan((8, 2, 3, 5), "out_grouped", 4)) == (30, 120, 30)


def test_a_seed_gives_the_same_arrays_and_another_others() -> None:
    for draw in (initial, randomised):
        first, again, other = draw(SMALL, 1), draw(SMALL, 1), draw(SMALL, 2)
        assert list(first) == [param.name for param in SMALL.params()]
        assert all(np.array_equal(first[name], again[name]) for name in first)
        assert not np.array_equal(first["conv.weight"], other["conv.weight"])


def test_what_checks_use_is_nowhere_trivial() -> None:
    for name, array in randomised(SMALL).items():
        assert array.dtype == np.float32
        assert (array != 0).all()
        assert (array != 1).all(), name


def test_arrays_survive_the_disk(tmp_path: Path) -> None:
    arrays = randomised(SMALL)
    save(tmp_path / "a.safetensors", arrays)
    loaded = load(tmp_path / "a.safetensors")
    assert loaded.keys() == arrays.keys()
    assert all(np.array_equal(loaded[name], arrays[name]) for name in arrays)


def test_arrays_that_do_not_fit_are_named_in_one_line() -> None:
    arrays = randomised(SMALL)
    assert list(fits(SMALL, dict(reversed(arrays.items())))) == list(arrays)
    del arrays["conv.bias"]
    arrays |= {"conv.scale": np.ones(4), "norm.bias": np.ones(5), "norm.weight": np.ones(4, complex)}
    with pytest.raises(ValueError, match="arrays do not fit `conv_bn_act`: ") as caught:
        fits(SMALL, arrays)
    message = str(caught.value)
    assert "\n" not in message
    for fault in ("missing `conv.bias` (4,)", "unexpected `conv.scale`", "`norm.bias` has shape (5,), not (4,)"):
        assert fault in message
    assert "`norm.weight` is complex128, not an array of real numbers" in message
    with pytest.raises(ValueError, match=r"do not fit `conv_bn_act`: `conv\.bias` has NaN or infinity$"):
        fits(SMALL, randomised(SMALL) | {"conv.bias": np.array([1, -np.inf, 2, np.nan])})
