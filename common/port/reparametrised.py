"""Weights that layers compute from other arrays, as the same layers hold them without weight norm or spectral norm.

Weight norm (Salimans and Kingma 2016, arXiv:1602.07868) computes ``weight_g * weight_v / |weight_v|``. Spectral norm
(Miyato et al. 2018, arXiv:1802.05957) computes ``weight_orig / (weight_u W weight_v)`` in evaluation, ``W`` the weight
as a matrix; in training it first moves ``weight_u`` and ``weight_v``.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from common.spec.params import Arrays, Shapes

T = TypeVar("T")
# The other arrays, by the one that has the weight's shape.
_OTHERS = {"weight_orig": ("weight_u", "weight_v"), "weight_v": ("weight_g",)}


def layers(shapes: Shapes) -> dict[str, str]:
    """The local name of the array that has the weight's shape, by layer."""
    found: dict[str, str] = {}
    for name, shape in shapes.items():
        path, _, main = name.rpartition(".")
        others = [shapes.get(_name(path, other)) for other in _OTHERS.get(main, ())]
        if others and None not in others and (main == "weight_orig" or len(others[0] or ()) in (0, len(shape))):
            found[path] = main
    return found


def plain(shapes: Shapes) -> Shapes:
    """The shapes that the network has without these norms."""
    return _replaced(shapes, shapes, lambda path, main: shapes[_name(path, main)])


def weights(arrays: Arrays, settings: Mapping[str, Mapping[str, Any]]) -> Arrays:
    """The arrays that the network has without these norms, in evaluation; ``settings`` are those of the layers."""

    def computed(path: str, main: str) -> np.ndarray:
        weight, *others = (arrays[_name(path, local)] for local in (main, *_OTHERS[main]))
        if main == "weight_v":
            (g,) = others
            axes = tuple(axis for axis in range(weight.ndim) if g.ndim == 0 or g.shape[axis] == 1)
            return g * weight / np.sqrt((weight**2).sum(axes, keepdims=True))
        u, v = others
        # The kernel of a transposed convolution is [in, out, ...], and its settings have no padding.
        transposed = u.size != len(weight) or "padding" not in settings.get(path, {"padding": 0})
        matrix = (np.moveaxis(weight, 1, 0) if transposed else weight).reshape(u.size, -1)
        return weight / (u @ matrix @ v)

    return _replaced(arrays, {name: array.shape for name, array in arrays.items()}, computed)


def _name(path: str, local: str) -> str:
    return f"{path}.{local}".lstrip(".")


def _replaced(values: Mapping[str, T], shapes: Shapes, computed: Callable[[str, str], T]) -> dict[str, T]:
    """The values with a layer's weight in the place of the arrays that it is computed from."""
    mains = layers(shapes)
    found: dict[str, T] = {}
    for name, value in values.items():
        path, _, local = name.rpartition(".")
        if (main := mains.get(path)) is None or local not in (main, *_OTHERS[main]):
            found[name] = value
        elif local == main:
            found[_name(path, "weight")] = computed(path, main)
    return found
