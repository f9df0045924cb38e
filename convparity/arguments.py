"""What is given to the public functions, checked before anything is done with it: one line says what is wrong."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from common.layers.values import Shape, SpecError
from common.names import shown
from common.port.given import Given
from common.port.weights import PortError
from common.spec import BlockSpec
from report.port.modules import MOST_VALUES


def spec_of(value: Any) -> BlockSpec:
    """``value`` if it is a BlockSpec; raises SpecError otherwise."""
    if not isinstance(value, BlockSpec):
        raise SpecError(f"`spec` (={shown(value)}) must be a BlockSpec, as `convparity.block` makes it")
    return value


def seed_of(value: Any) -> int:
    """``value`` if it is an int from 0 to 2 ** 64 - 1; raises SpecError otherwise."""
    if type(value) is not int or not 0 <= value < 2**64:
        raise SpecError(f"`seed` (={shown(value)}) must be an integer from 0 to 2 ** 64 - 1")
    return value


def arrays_of(value: Any) -> dict[str, Any]:
    """A dict of ``value`` if its keys are words; raises SpecError otherwise."""
    return _dict("params", value, object, "arrays by name", SpecError)


def in_range(arrays: dict[str, Any], dtype: Any) -> None:
    """Raises SpecError for finite numbers that are infinite in ``dtype``, if that is float32."""
    if isinstance(dtype, str) and dtype == "float32":
        for name, array in arrays.items():
            if isinstance(array, np.ndarray) and array.dtype.kind in "fiu" and array.size:
                largest = max(abs(float(array.min())), abs(float(array.max())))
                if float(np.finfo(np.float32).max) < largest < math.inf:
                    raise SpecError(f"`params` has {shown(name)} with {largest:.3g}, which is too large for {dtype}")


def options_of(value: Any) -> dict[str, Any]:
    """A dict of ``value``, empty for None, if its keys are words; raises SpecError otherwise."""
    return _dict("options", {} if value is None else value, object, "values by the option's name", SpecError)


def names_of(value: Any) -> dict[str, str] | None:
    """A dict of ``value``, or None for None, if its keys and values are words; raises PortError otherwise."""
    return (
        None if value is None else _dict("names", value, str, "layers of the second by layers of the first", PortError)
    )


def flag(name: str, value: Any) -> bool:
    """``value`` if it is true or false; raises SpecError otherwise."""
    if type(value) is not bool:
        raise SpecError(f"`{name}` (={shown(value)}) must be True or False")
    return value


def path_of(name: str, value: Any) -> Path:
    """``value`` as a path if it is a Path or a word that can be one; raises PortError otherwise."""
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise PortError(f"`{name}` (={shown(value)}) must be the path of a file")
    return Path(value)


def inputs_of(value: Any) -> list[Shape]:
    """``value``, a shape, an array or a list of them, as a list; raises PortError for one too large to compare."""
    several = isinstance(value, list | tuple) and value and not any(type(item) is int for item in value)
    return [_input(item) for item in (value if several else [value])]


def _input(value: Any) -> Shape:
    array = isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and np.isfinite(value).all()
    shape = value.shape if array else value
    right = isinstance(shape, list | tuple) and shape and all(type(size) is int and size > 0 for size in shape)
    if not right or math.prod(shape) > MOST_VALUES:
        rule = f"such as (n, c, h, w), integers from 1 with a product of at most {MOST_VALUES}, an array, or a list"
        raise PortError(f"`input_shape` (={shown(value)}) must be {rule}")
    return Given(value) if array else tuple(shape)


def choice(name: str, value: Any, choices: tuple[str, ...] = ()) -> str | None:
    """``value`` if it is None or a word, one of ``choices`` if there are any; raises PortError otherwise."""
    if value is not None and (not isinstance(value, str) or (choices and value not in choices)):
        raise PortError(f"`{name}` (={shown(value)}) must be {' or '.join(choices) if choices else 'a name'}, or None")
    return value


def _dict(name: str, value: Any, kind: type, rule: str, error: type[ValueError]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise error(f"`{name}` (={shown(value)}) must be a dict: {rule}")
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, kind):
            raise error(f"`{name}` has {shown(key)}: {shown(item)}; it must be a dict: {rule}")
    return dict(value)
