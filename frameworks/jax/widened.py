"""A program of JAX in float64, whatever type it names."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import jax
import numpy as np
from jax.extend.core import primitives

_NARROW = ("float32", "float16", "bfloat16")


def _wide(bind: Callable[..., Any], parameter: str) -> Callable[..., Any]:
    def bound(*operands: Any, **parameters: Any) -> Any:
        exact = any(getattr(operand, "dtype", None) == np.float64 for operand in operands)
        if exact and str(parameters.get(parameter)) in _NARROW:
            parameters[parameter] = np.dtype("float64")
        return bind(*operands, **parameters)

    return bound


@contextlib.contextmanager
def widened() -> Iterator[None]:
    """While active, float64 exists, and what is traced does not cast it to float32 nor accumulate in float32."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        for primitive, parameter in (
            (primitives.convert_element_type_p, "new_dtype"),
            (primitives.dot_general_p, "preferred_element_type"),
            (primitives.conv_general_dilated_p, "preferred_element_type"),
        ):
            stack.enter_context(mock.patch.object(primitive, "bind", _wide(primitive.bind, parameter)))
        yield
