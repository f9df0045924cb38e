"""What is no argument of a public function is refused in one line that names it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convparity
from common.layers.values import SpecError
from common.names import UnknownName
from common.port.weights import PortError

SPEC = convparity.block("pointwise_conv", in_channels=2, out_channels=3, bias=True)
ARRAYS = convparity.initial(SPEC)
GOOD = {"in_channels": 2, "out_channels": 3}
SHAPE, LONG = (1, 2, 3, 4), "x" * 9999


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError


NO_WORDS = [None, 3, float("nan"), [], {}, b"torch", Silent(), "x" * 10**6, "\x1b[31m", ""]
NO_INTEGERS = [None, -1, 1.0, float("nan"), True, "1", 10**5000, [], np.array([1, 2])]
NO_SPECS = [None, "pointwise_conv", 3, {}, type(SPEC), Silent()]
NO_ARRAYS = [None, 3, "x", [], {3: 4}, {}, {"conv.weight": None}, {"conv.weight": np.zeros(3)}, {"x" * 9999: ARRAYS}]
NO_ARRAYS += [ARRAYS | {"conv.bias": np.array(["a"] * 3)}, ARRAYS | {"conv.bias": [1, 2, 3]}]
INFINITE = [ARRAYS | {"conv.bias": np.array([0, 1, v])} for v in (np.nan, np.inf, -np.inf)]
NO_SHAPES = [
    None,
    3,
    "1x2",
    (),
    [(1, 2), 3],
    (1, 2, 3, 0),
    (1, 2, 3, -4),
    (1, 2, 3, 4.0),
    (1, 2, 3, 10**9),
    (1, 2, 3, True),
]
NO_SHAPES += [(1, 2, 3, 10**5000), np.array([np.nan]), np.array(["a"]), {}, (Silent(),) * 4]
NO_NAMES = [3, "x", [], {1: 2}, {"a": None}, {"a": 3}]
NO_PATHS = [None, 3, b"x", "", "a\0b", [], Silent()]


def _port(**changes: Any) -> Callable[[], object]:
    arguments: dict[str, Any] = {"source": "nowhere.pt", "destination": "out.pt", "from_": "torch", "to": "torch"}
    return lambda: convparity.port(**arguments | {"block": "pointwise_conv", "options": GOOD} | changes)


def _conv() -> Any:
    import torch

    return torch.nn.Conv2d(2, 3, 1)


def _build(*arguments: Any, **changes: Any) -> Callable[[], object]:
    return lambda: convparity.build(*arguments, **changes)


CALLS: dict[str, list[tuple[str, Callable[[], object]]]] = {
    "block": [("unknown block `", lambda v=v: convparity.block(v)) for v in NO_WORDS],
    "initial": [("`spec` (=", lambda v=v: convparity.initial(v)) for v in NO_SPECS],
    "initial seed": [("`seed` (=", lambda v=v: convparity.initial(SPEC, v)) for v in NO_INTEGERS],
    "randomised": [("`spec` (=", lambda v=v: convparity.randomised(v)) for v in NO_SPECS],
    "randomised seed": [("`seed` (=", lambda v=v: convparity.randomised(SPEC, v)) for v in NO_INTEGERS],
    "build backend": [("unknown backend `", _build(v, SPEC, ARRAYS)) for v in NO_WORDS],
    "build spec": [("`spec` (=", _build("torch", v, ARRAYS)) for v in NO_SPECS],
    "build params": [("", _build("torch", SPEC, v)) for v in NO_ARRAYS],
    "build infinite": [("conv.bias` has NaN", _build("torch", SPEC, v)) for v in INFINITE],
    "build too large": [("too large for float32", _build("torch", SPEC, ARRAYS | {"conv.bias": np.full(3, -1e39)}))],
    "build dtype": [("unknown dtype `", _build("torch", SPEC, ARRAYS, dtype=v)) for v in NO_WORDS],
    "build device": [("unknown device `", _build("torch", SPEC, ARRAYS, device=v)) for v in NO_WORDS[1:]],
    "build variant": [("unknown variant `", _build("torch", SPEC, ARRAYS, variant=v)) for v in NO_WORDS],
    "build strict": [("`strict` (=", _build("torch", SPEC, ARRAYS, strict=v)) for v in (None, 1, "no", Silent())],
    "compare shape": [("`input_shape` (=", lambda v=v: convparity.compare(None, None, v)) for v in NO_SHAPES],
    "compare names": [("`names` ", lambda v=v: convparity.compare(None, None, SHAPE, names=v)) for v in NO_NAMES],
    "compare modules": [("is no module of", lambda v=v: convparity.compare(v, v, SHAPE)) for v in (*NO_WORDS, object)],
    "compare output": [
        ("no output is called `xxx", lambda: convparity.compare(_conv(), _conv(), SHAPE, output="x" * 9999))
    ],
    "assert_parity": [("`input_shape` (=", lambda v=v: convparity.assert_parity(None, None, v)) for v in NO_SHAPES],
    "port source": [("`source` (=", _port(source=v)) for v in NO_PATHS],
    "port destination": [("`destination` (=", _port(destination=v)) for v in NO_PATHS],
    "port long": [("cannot open ", _port(source="x" * 5000)), ("cannot open ", _port(destination=Path("x" * 5000)))],
    "port from": [("unknown backend `", _port(from_=v)) for v in NO_WORDS],
    "port to": [("unknown backend `", _port(to=v)) for v in NO_WORDS],
    "port block": [("unknown block `", _port(block=v)) for v in NO_WORDS],
    "port options": [("`options` ", _port(options=v)) for v in (3, "x", [], {1: 2})],
    "port names": [("`names` ", _port(names=v)) for v in NO_NAMES],
    "port structure": [("`by_structure` (=", _port(by_structure=v)) for v in (None, 1, "no")],
}


@pytest.mark.needs("torch")
@pytest.mark.parametrize("name", CALLS)
def test_bad_arguments_are_refused_in_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for message, call in CALLS[name]:
        with pytest.raises((SpecError, PortError, UnknownName)) as caught:
            call()
        assert message in str(caught.value)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 500
    assert not list(tmp_path.iterdir())


def test_options_are_refused_in_one_line() -> None:
    for name in ("in_channels", "stride", "bias", "unknown"):
        for value in (
            None,
            float("nan"),
            -1,
            10**5000,
            "x" * 10**6,
            [],
            {},
            Silent(),
            np.array([1, 2]),
            (Silent(),) * 2,
        ):
            with pytest.raises(SpecError) as caught:
                convparity.block("pointwise_conv", **GOOD | {name: value})
            assert f"`{name}` " in str(caught.value)
            assert str(caught.value).isprintable()
            assert len(str(caught.value)) < 300
