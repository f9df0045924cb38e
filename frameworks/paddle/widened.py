"""A layer's program in float64, whatever type it names, with dropout off and constants that may be inexact."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import paddle
from paddle import nn

from common.port.live import RANDOM_DEPTHS, rate

_NARROW = ("float32", "float16", "bfloat16", paddle.float32, paddle.float16, paddle.bfloat16)
_DROPOUTS = ("dropout", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")


class Widened(contextlib.ExitStack):
    """While active, casts of float64 to float32 do nothing, and dropout returns its input.

    ``dropped`` are the rates that dropout would have, by the layer that is running: the last of ``stack``.
    """

    def __init__(self, layer: nn.Layer, stack: list[str], loose: int | None) -> None:
        super().__init__()
        self.dropped: list[tuple[str, float]] = []
        self._layer, self._stack, self._loose = layer, stack, loose

    def __enter__(self) -> "Widened":
        super().__enter__()
        default = paddle.get_default_dtype()
        paddle.set_default_dtype("float64")
        self.callback(paddle.set_default_dtype, default)
        for owner, name in ((paddle.Tensor, "astype"), (paddle.Tensor, "cast"), (paddle, "cast")):
            self.enter_context(mock.patch.object(owner, name, self._cast(getattr(owner, name))))
        for module in ("paddle.nn.functional", "paddle.nn.functional.common"):
            for name in _DROPOUTS:
                if hasattr(sys.modules[module], name):
                    self.enter_context(mock.patch.object(sys.modules[module], name, self._dropout))
        for path, child in self._layer.named_sublayers(include_self=True):
            if type(child).__name__ in RANDOM_DEPTHS:
                self.enter_context(mock.patch.object(child, "forward", self._same(path, child)))
        if self._loose is not None:
            self._loosen(self._loose)
        return self

    def _loosen(self, loose: int) -> None:
        """Errors of eps, which Paddle rounds to float32, if ``loose`` is above 0; slopes that are exact."""
        rng = np.random.default_rng(loose)
        for child in self._layer.sublayers(include_self=True):
            for name, value in list(vars(child).items()):
                if loose and type(value) is float and "eps" in name:
                    object.__setattr__(child, name, value * (1 + 2.0**-23 * float(rng.standard_normal())))
                    self.callback(object.__setattr__, child, name, value)

        def hardsigmoid(x: Any, slope: float = 1 / 6, offset: float = 0.5, name: Any = None) -> Any:
            return paddle.clip(x * slope + offset, 0, 1)

        self.enter_context(mock.patch.object(nn.functional, "hardsigmoid", hardsigmoid))

    def _note(self, path: str, p: Any) -> None:
        if p:
            self.dropped.append((path, float(p)))

    def _cast(self, cast: Callable[..., Any]) -> Callable[..., Any]:
        def kept(x: Any, dtype: Any) -> Any:
            narrow = any(dtype is name or dtype == name for name in _NARROW)
            return cast(x, "float64" if x.dtype == paddle.float64 and narrow else dtype)

        return kept

    def _dropout(self, x: Any, p: Any = 0.5, axis: Any = None, training: bool = True, *_: Any, **__: Any) -> Any:
        # The second of some of these functions is `training`.
        training = axis if isinstance(axis, bool) else training
        if training:
            self._note(self._stack[-1] if self._stack else "", p)
        return x

    def _same(self, path: str, child: nn.Layer) -> Callable[..., Any]:
        def forward(x: Any, *_: Any, **__: Any) -> Any:
            if child.training:
                self._note(path, rate(child))
            return x

        return forward
