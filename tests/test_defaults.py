"""A hand-written block's options have the spec's defaults: no case gives an option that is left out."""

import inspect
import sys
from typing import Any

import pytest

from common.protocols import Backend
from common.spec.catalogue import CATALOGUE, names

CALL = {"self", "rngs", "params", "stats", "x", "key", "train"}  # what is no option; in JAX the arrays say some


def defaults(function: Any) -> dict[str, Any]:
    """By name, of a function or of a class's ``__init__``."""
    parameters = inspect.signature(function.__init__ if isinstance(function, type) else function).parameters
    return {name: p.default for name, p in parameters.items()}


def others(function: Any, family: str) -> dict[str, Any]:
    """What the function takes for options of the block that are left out, where that is not the spec's default."""
    right = defaults(CATALOGUE[family].make)
    shared = {name: value for name, value in defaults(function).items() if name in right}
    assert defaults(function).keys() <= right.keys() | CALL, f"{family} has no such option"
    return {name: value for name, value in shared.items() if value != right[name]}


@pytest.mark.parametrize("family", names())
def test_an_option_that_is_left_out_is_the_spec_s(backend: Backend, family: str) -> None:
    blocks = sys.modules[f"{backend.__name__}.blocks"].BLOCKS  # type: ignore[attr-defined]
    assert others(blocks[family], family) == {}


def test_another_default_is_told() -> None:
    def conv(in_channels: int, out_channels: int, stride: tuple[int, int] = (2, 1), bias: bool = True) -> None:
        del in_channels, out_channels, stride, bias

    assert others(conv, "standard_conv") == {"stride": (2, 1)}
    with pytest.raises(AssertionError, match="standard_conv has no such option"):
        others(lambda in_channels, strides=(1, 1): None, "standard_conv")
