"""What the convolutions and norms of a function are set to, read from its program: see `common.port.settings`."""

from collections.abc import Callable, Sequence
from typing import Any

from jax.extend import core

from common.port.settings import Settings
from frameworks.jax.forms import Form, used


def settings(
    function: Callable[..., Any], forms: Sequence[Form], values: Sequence[Any], xs: Sequence[Any]
) -> dict[str, Settings]:
    """By layer; ``forms`` are those of ``values``, with which ``function(values, xs)`` computes."""
    found: dict[str, Settings] = {}
    variances: dict[int | None, str] = {
        index: _layer(form) for index, form in enumerate(forms) if form.name.endswith("running_var")
    }
    for equation, read in used(function, values, xs):
        name, params = equation.primitive.name, equation.params
        if name == "conv_general_dilated" and read[1] is not None and read[1] < len(values):
            numbers = params["dimension_numbers"]
            size = tuple(equation.invars[0].aval.shape[axis] for axis in numbers.lhs_spec[2:])
            kernel = tuple(equation.invars[1].aval.shape[axis] for axis in numbers.rhs_spec[2:])
            done: Settings = {"stride": tuple(params["window_strides"]), "groups": params["feature_group_count"]}
            done |= {"kernel": kernel, "size": size, "dilation": tuple(params["rhs_dilation"])}
            if all(step == 1 for step in params["lhs_dilation"]):  # no transposed convolution
                found.setdefault(_layer(forms[read[1]]), done | {"padding": tuple(map(tuple, params["padding"]))})
        constant = name == "add" and isinstance(equation.invars[1], core.Literal)
        if constant and read[0] in variances:
            found.setdefault(variances[read[0]], {"eps": float(equation.invars[1].val)})
    return found


def _layer(form: Form) -> str:
    return form.name.rpartition(".")[0] or form.name
