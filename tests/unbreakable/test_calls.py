"""Many calls of public functions, drawn at random: each gives a result, or raises one line that names what is wrong.

A fifth of ``--soak`` calls of each function: 20 by default, 400 in ``make soak``.
"""

import inspect
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import convparity
from common.layers.values import SpecError
from common.names import UnknownName, shown
from common.port.weights import PortError
from common.protocols import Backend
from frameworks import MissingFramework
from tests.unbreakable.test_functions import ARRAYS, GOOD, SPEC, Silent
from tests.unbreakable.test_many import KINDS, changed, hostile

Call = tuple[Callable[..., Any], dict[str, Any]]  # a function, and arguments that it takes
REFUSALS = (SpecError, PortError, UnknownName, MissingFramework)
X, DY = np.zeros((1, 2, 3, 4), np.float32), np.ones((1, 3, 3, 4), np.float32)
NUMBERS: list[Any] = [
    X[0],
    X[:0],
    X + 1j,
    X.astype(object),
    X.astype(">f4"),
    X.astype(np.longdouble),
    X * np.nan,
    9 * X,
]
NUMBERS += [X.astype("U1"), X.astype("M8[s]"), X.astype("f4,f4"), np.float32(1), np.ma.masked_all((1, 2, 3, 4)), DY]
NUMBERS += [np.zeros((1, 2, 3, 0)), np.array(3), X.astype(bool), X.astype(np.uint16), X.astype(np.float16)]
OBJECTS = [Silent(), Silent, object(), b"torch", {3}, range(4), 1j, SPEC, ARRAYS, [SPEC] * 3, lambda: None, iter([1])]


def named(name: str, **options: Any) -> Any:
    return convparity.block(name, **options)


def modules(function: Callable[..., Any]) -> Call:
    import torch

    one, other = (torch.nn.Conv2d(2, 3, 1) for _ in range(2))
    given: dict[str, Any] = {"module_a": one, "module_b": other, "input_shape": (1, 2, 3, 4), "names": None}
    extra = {"source": None, "destination": None, "training": False}
    return function, given | (
        extra if function is convparity.port_module else {"output": None, "layout": None, "as_is": False}
    )


def port() -> Call:
    arguments = {"source": "w.safetensors", "destination": "o.safetensors", "from_": "torch", "to": "torch"}
    options = {"block": "pointwise_conv", "options": GOOD | {"bias": True}, "names": None, "by_structure": False}
    return convparity.port, arguments | options


CHANNELS = ("in_channels", "out_channels", "hidden")
BUILD = {"backend": "torch", "spec": SPEC, "params": ARRAYS, "dtype": "float32", "device": "cpu", "strict": False}
OTHERWISE = {  # what an argument may be called besides its name
    "": ("`", "Error: ", "input shape"),
    "options": ("option of `pointwise_conv`", "its options are"),
    "input_shape": ("input shape", "Error: "),  # or by the module that takes it
    "x": ("input shape",),
    "params": ("arrays do not fit",),
    "from_": ("unknown backend",),
    "to": ("unknown backend",),
}
FUNCTIONS: dict[str, Callable[[], Call]] = {
    "names": lambda: (convparity.names, {}),
    "block": lambda: (
        named,
        {"name": "inverted_residual", "in_channels": 4, "out_channels": 4, "hidden": 8, "stride": (1, 1)},
    ),
    "initial": lambda: (convparity.initial, {"spec": SPEC, "seed": 0}),
    "randomised": lambda: (convparity.randomised, {"spec": SPEC, "seed": 0}),
    "output_shape": lambda: (SPEC.output_shape, {"input_shape": (1, 2, 3, 4)}),
    "shapes": lambda: (SPEC.shapes, {"input_shape": (1, 2, 3, 4)}),
    "build": lambda: (convparity.build, BUILD | {"variant": "reference"}),
    "compare": lambda: modules(convparity.compare),
    "assert_parity": lambda: modules(convparity.assert_parity),
    "port_module": lambda: modules(convparity.port_module),
    "port": port,
}


def called(function: Callable[..., Any], good: dict[str, Any], value: Any, number: int) -> None:
    """A call with one argument, or a part of one, that is another value, or with one too few or too many."""
    choose, arguments = random.Random(number), dict(good)
    value = choose.choice([value, choose.choice([*NUMBERS, *OBJECTS])])  # hypothesis cannot print all of these
    name = choose.choice([*good, "unknown"])
    match choose.random():
        case fate if fate < 0.1:
            arguments.pop(name, None)
            name = ""
        case fate if fate < 0.3 and isinstance(good.get(name), dict | tuple):
            part = list(good[name]) if isinstance(good[name], tuple) else good[name]
            arguments[name] = changed(part, value, choose)
            name = ""
        case _:
            arguments[name] = value
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError:
        with pytest.raises(TypeError):  # of Python itself
            function(**arguments)
        return
    try:
        function(**arguments)
    except REFUSALS as error:
        text = str(error)
        assert text.isprintable()
        assert len(text) < 1000
        said = [f"`{name}", f"unknown {name.strip('_')} ", shown(value)[:20].strip("'"), type(value).__name__]
        said += OTHERWISE.get(name, ())
        assert any(word in text for word in said), (name, text)


def many(call: Call, config: pytest.Config) -> None:
    most = config.option.soak // KINDS

    @seed(1)
    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(hostile, st.integers(0, 2**32))
    def check(value: Any, number: int) -> None:
        called(*call, value, number)

    check()


@pytest.mark.needs("torch")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_many_calls(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    from common.spec.params import save

    monkeypatch.chdir(tmp_path)
    save(tmp_path / "w.safetensors", ARRAYS)
    many(FUNCTIONS[name](), pytestconfig)
    assert {path.name for path in tmp_path.iterdir()} <= {"w.safetensors", "o.safetensors"}


@pytest.mark.parametrize("name", ["forward", "forward_train", "gradients", "load"])
def test_many_calls_of_a_built_block(name: str, backend: Backend, pytestconfig: pytest.Config) -> None:
    built = backend.build(SPEC, ARRAYS)
    good = {"load": {"params": ARRAYS}, "gradients": {"x": X, "dy": DY}}.get(name, {"x": X})
    many((getattr(built, name), good), pytestconfig)
