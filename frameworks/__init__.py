"""The table of backends. Only names here: nothing is imported until `load`."""

import importlib
import importlib.util
import warnings
from types import ModuleType
from typing import cast

from common.names import known
from common.protocols import Backend, Files, Layout

# name: (our module, the distribution's modules that must be there)
BACKENDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "torch": ("frameworks.torch", ("torch",)),
    "paddle": ("frameworks.paddle", ("paddle",)),
    "jax": ("frameworks.jax", ("jax",)),
    "flax": ("frameworks.flax", ("jax", "flax")),
}
# What runs a block exported from torch, for inference alone: timed beside the backends, but no backend to port to.
ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "onnxruntime": ("frameworks.torch.engines.onnxruntime", ("torch", "onnx", "onnxruntime")),
    "openvino": ("frameworks.torch.engines.openvino", ("torch", "onnx", "openvino")),
}


class MissingFramework(ImportError):
    """A backend or engine whose framework is not installed; the message says what to install."""


def missing(name: str) -> str | None:
    """Why backend or engine ``name`` cannot be loaded, or None; found without importing anything.

    Raises:
        UnknownName: for a name that is in neither table.
    """
    _, needs = _row(name)
    absent = [module for module in needs if importlib.util.find_spec(module) is None]
    kind, extra = ("engine", "engines") if name in ENGINES else ("backend", "jax" if name == "flax" else name)
    return f"{kind} `{name}` needs `{absent[0]}`: pip install -e '.[{extra}]'" if absent else None


def module(name: str) -> str:
    """The path of a backend's or engine's module, which is not imported; raises `UnknownName`."""
    return _row(name)[0]


def installed() -> tuple[str, ...]:
    """The backends whose framework is there."""
    return tuple(name for name in BACKENDS if missing(name) is None)


def load(name: str) -> Backend:
    """The backend's or engine's module, importing its framework.

    Raises:
        UnknownName: for a name that is in neither table.
        MissingFramework: if the framework is not installed.
    """
    return cast(Backend, _module(name))


def layout(name: str) -> Layout:
    """The backend's layouts; raises as `load` does."""
    return cast(Layout, _module(name, ".layout"))


def files(name: str) -> Files:
    """The backend's file formats; raises as `load` does."""
    return cast(Files, _module(name, ".files"))


def _module(name: str, part: str = "") -> ModuleType:
    if reason := missing(name):
        raise MissingFramework(reason)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No ccache found")  # Paddle, at import
        return importlib.import_module(_row(name)[0] + part)


def _row(name: str) -> tuple[str, tuple[str, ...]]:
    table = BACKENDS | ENGINES
    return table[known("backend", name, table)]
