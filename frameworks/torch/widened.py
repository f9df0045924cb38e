"""A module's program in float64, whatever type it names, with dropout off and constants that may be inexact."""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from common.port.live import RANDOM_DEPTHS, rate

_DROPOUTS = ("dropout", "dropout_", "alpha_dropout", "alpha_dropout_", "feature_dropout", "feature_alpha_dropout")
_DROPOUTS += ("dropout1d", "dropout2d", "dropout3d", "feature_dropout_", "feature_alpha_dropout_")
_NARROW = (torch.float32, torch.float16, torch.bfloat16)
EPS = ("eps", "epsilon", "variance_epsilon")
ROUNDED = (*EPS, "alpha", "min_val", "max_val")  # of ELU, CELU and Hardtanh: what Paddle keeps in float32
PADDLES_SLOPE = float(np.float32(0.1666667))  # of Hardsigmoid: the default of `paddle.nn.functional.hardsigmoid`


class Widened(TorchFunctionMode):
    """While active, casts to float32 do nothing to float64, and dropout returns its input.

    ``dropped`` are the rates that dropout would have, by the module that is running: the last of ``stack``.
    """

    def __init__(self, stack: list[str], loose: bool) -> None:
        super().__init__()
        self.dropped: list[tuple[str, float]] = []
        self._stack, self._loose = stack, loose

    def note(self, path: str, p: float) -> None:
        if p:
            self.dropped.append((path, float(p)))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in _DROPOUTS and args and isinstance(args[0], torch.Tensor):
            p = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
            training = args[2] if len(args) > 2 else kwargs.get("training", kwargs.get("train", True))
            if training:
                self.note(self._stack[-1] if self._stack else "", p)
            return args[0]
        if name == "multi_head_attention_forward":
            bound = inspect.signature(func).bind(*args, **kwargs)
            if bound.arguments.get("training", True):
                self.note(self._stack[-1], bound.arguments["dropout_p"])
            bound.arguments["dropout_p"] = 0.0
            return func(*bound.args, **bound.kwargs)
        if name == "scaled_dot_product_attention":
            args = list(args)
            self.note(
                self._stack[-1] if self._stack else "", args[4] if len(args) > 4 else kwargs.get("dropout_p", 0.0)
            )
            if len(args) > 4:
                args[4] = 0.0
            else:
                kwargs["dropout_p"] = 0.0
        if args and isinstance(args[0], torch.Tensor) and args[0].dtype == torch.float64:
            if name in ("float", "half", "bfloat16"):
                return args[0]
            if name in ("to", "type"):
                args = tuple(torch.float64 if isinstance(a, torch.dtype) and a in _NARROW else a for a in args)
        if kwargs.get("dtype") in _NARROW:
            kwargs["dtype"] = torch.float64
        if self._loose and name == "hardsigmoid" and args:
            return (args[0] * PADDLES_SLOPE + 0.5).clamp(0, 1)
        return func(*args, **kwargs)


@contextlib.contextmanager
def switched_off(module: nn.Module, widened: Widened) -> Iterator[None]:
    """While active, modules of stochastic depth return their input."""
    with contextlib.ExitStack() as patches:
        for path, child in module.named_modules():
            if type(child).__name__ in RANDOM_DEPTHS:

                def same(x: Any, *_: Any, path: str = path, child: nn.Module = child) -> Any:
                    if child.training:
                        widened.note(path, rate(child))
                    return x

                patches.enter_context(mock.patch.object(child, "forward", same))
        yield


@contextlib.contextmanager
def loosened(module: nn.Module, loose: int | None) -> Iterator[None]:
    """While active, `ROUNDED` attributes and eps are float32; above 0 ``loose`` seeds errors of eps."""
    rng = np.random.default_rng(loose)
    with contextlib.ExitStack() as patches:
        for child in module.modules():
            for name, value in list(vars(child).items()):
                if loose is not None and type(value) is float and name in ROUNDED:
                    error = 2.0**-24 * float(rng.standard_normal()) if loose and name in EPS else 0.0
                    patches.enter_context(mock.patch.object(child, name, float(np.float32(value)) * (1 + error)))
        yield
