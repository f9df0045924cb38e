"""The table of backends. Only names here: nothing is imported until `load` or `part`."""

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, overload

from common.names import known
from common.protocols import Backend, Files, Layout

if TYPE_CHECKING:
    from common.port.facts import Answers
    from common.port.live import LiveModule


def _instance(package: str, name: str) -> Callable[[Any], bool]:
    """Whether an object is of a class of this name that the package defines, which need not be imported to tell."""
    wanted = package, name
    return lambda native: any((k.__module__.partition(".")[0], k.__name__) == wanted for k in type(native).__mro__)


_flax = _instance("flax", "Module")


def _function(native: Any) -> bool:
    """Whether it is ``(apply, params)`` or ``(apply, params, stats)``."""
    return isinstance(native, tuple) and len(native) in (2, 3) and callable(native[0]) and not _flax(native[0])


def _flax_module(native: Any) -> bool:
    """Whether it is a module, or a linen module and its variables."""
    return _flax(native[0] if isinstance(native, tuple) and len(native) == 2 else native)


class Row(NamedTuple):
    """A backend or engine: our module, and what must be there for it."""

    module: str
    needs: tuple[str, ...]  # modules of other distributions
    extra: str = ""  # of our pyproject.toml, which installs them
    claims: Callable[[Any], bool] = lambda native: False  # whether a live module is one of this framework
    title: str = ""  # as its makers write it


BACKENDS = {
    "torch": Row("frameworks.torch", ("torch",), "torch", _instance("torch", "Module"), "PyTorch"),
    "paddle": Row("frameworks.paddle", ("paddle",), "paddle", _instance("paddle", "Layer"), "PaddlePaddle"),
    "jax": Row("frameworks.jax", ("jax",), "jax", _function, "JAX"),
    "flax": Row("frameworks.flax", ("jax", "flax"), "jax", _flax_module, "Flax"),
}
# What runs a block exported from torch, for inference alone: timed beside the backends, but no backend to port to.
ENGINES = {
    "onnxruntime": Row("frameworks.torch.engines.onnxruntime", ("torch", "onnx", "onnxruntime"), "engines"),
    "openvino": Row("frameworks.torch.engines.openvino", ("torch", "onnx", "openvino"), "engines"),
}


class MissingFramework(ImportError):
    """A backend or engine whose framework is not installed; the message says what to install."""


def missing(name: str) -> str | None:
    """Why backend or engine ``name`` cannot be loaded, or None; found without importing anything.

    Raises:
        UnknownName: for a name that is in neither table.
    """
    row, kind = _row(name), "engine" if name in ENGINES else "backend"
    absent = [module for module in row.needs if importlib.util.find_spec(module) is None]
    return f"{kind} `{name}` needs `{absent[0]}`: pip install -e '.[{row.extra}]'" if absent else None


def module(name: str, which: str = "") -> str:
    """The path of a backend's or engine's module, or of a part of it, which is not imported; raises `UnknownName`."""
    return ".".join(filter(None, [_row(name).module, which]))


def installed() -> tuple[str, ...]:
    """The backends whose framework is there."""
    return tuple(name for name in BACKENDS if missing(name) is None)


def owner(native: Any) -> str | None:
    """Which framework a live module belongs to; None for what is none. Nothing is imported to find out."""
    return next((name for name, row in BACKENDS.items() if not isinstance(native, type) and row.claims(native)), None)


def load(name: str) -> Backend:
    """The backend's or engine's module, importing its framework.

    Raises:
        UnknownName: for a name that is in neither table.
        MissingFramework: if the framework is not installed.
    """
    return cast(Backend, _imported(name))


@overload
def part(name: str, which: Literal["layout"]) -> Layout: ...
@overload
def part(name: str, which: Literal["files"]) -> Files: ...
@overload
def part(name: str, which: Literal["live"]) -> "LiveModule": ...
@overload
def part(name: str, which: Literal["facts"]) -> "Answers": ...
@overload
def part(name: str, which: Literal["faults"]) -> ModuleType: ...


def part(name: str, which: str) -> Any:
    """A module of the backend's folder; raises as `load` does."""
    return _imported(name, which)


def _imported(name: str, which: str = "") -> ModuleType:
    if reason := missing(name):
        raise MissingFramework(reason)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No ccache found")  # Paddle, at import
        return importlib.import_module(module(name, which))


def _row(name: str) -> Row:
    table = BACKENDS | ENGINES
    return table[known("backend", name, table)]
