"""The table of backends. Only names here: nothing is imported until `load`."""

import importlib
import importlib.util
import warnings
from types import ModuleType
from typing import cast

from common.catalogue import known
from common.protocols import Backend, Files, Layout

# name: (our module, the distribution's modules that must be there)
BACKENDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "torch": ("frameworks.torch", ("torch",)),
    "paddle": ("frameworks.paddle", ("paddle",)),
    "jax": ("frameworks.jax", ("jax",)),
    "flax": ("frameworks.flax", ("jax", "flax")),
}


class MissingFramework(ImportError):
    """A backend whose framework is not installed; the message says what to install."""


def missing(name: str) -> str | None:
    """Why backend ``name`` cannot be loaded, or None; found without importing anything.

    Raises:
        UnknownName: for a name that is not in the table.
    """
    _, needs = BACKENDS[known("backend", name, BACKENDS)]
    absent = [module for module in needs if importlib.util.find_spec(module) is None]
    extra = "jax" if name == "flax" else name
    return f"backend `{name}` needs `{absent[0]}`: pip install -e '.[{extra}]'" if absent else None


ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {}


def module(name: str) -> str:
    """The path of a backend's module, which is not imported."""
    return BACKENDS[name][0]


def installed() -> tuple[str, ...]:
    """The backends whose framework is there."""
    return tuple(name for name in BACKENDS if missing(name) is None)


def load(name: str) -> Backend:
    """The backend's module, importing its framework.

    Raises:
        UnknownName: for a name that is not in the table.
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
        return importlib.import_module(BACKENDS[name][0] + part)
