"""Modules by name: ``file.py:Name``, ``package.module:factory(width=8)``, our blocks ``convparity.jax:block(...)``."""

import ast
import difflib
import importlib
import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import frameworks
from common.layers.values import SpecError
from common.names import UnknownName, first_line, known
from common.oracle.backprop import without_dropout
from common.port.weights import PortError
from common.spec import BlockSpec
from common.spec.catalogue import block
from common.spec.params import initial
from convparity.packages import OURS, of_project

BLOCKS = "convparity"  # where the blocks of this project are
_TARGET = re.compile(r"(?P<where>[^()]+?):(?P<name>[A-Za-z_][\w.]*)(?P<call>\(.*\))?", re.DOTALL)


@dataclass(frozen=True)
class Target:
    """Where a module is, its name there, and the arguments of its factory, if any."""

    where: str
    name: str
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()


def parse(text: str) -> Target:
    """A target from what a user types.

    Raises:
        PortError: for anything else, or arguments that are not literals.
    """
    match = _TARGET.fullmatch(text.strip())
    if not match:
        raise PortError(f"`{text}` is no module; write FILE.py:NAME, PACKAGE.MODULE:NAME or convparity.BACKEND:BLOCK")
    try:
        call = ast.parse(f"f{match['call'] or '()'}", mode="eval").body
        assert isinstance(call, ast.Call)
        arguments = tuple(ast.literal_eval(item) for item in call.args)
        options = tuple((str(item.arg), ast.literal_eval(item.value)) for item in call.keywords)
    except (ValueError, SyntaxError, AssertionError):
        raise PortError(f"`{text}`: arguments must be literals, such as (alpha=0.5, bias=False)") from None
    return Target(match["where"], match["name"], arguments, options)


class Loaded:
    """A module that was loaded, and the packages that its code sees."""

    def __init__(self, target: Target) -> None:
        self.packages = of_project(str(Path.cwd()))
        if target.where.partition(".")[0] == BLOCKS:
            self.packages = OURS
            self.native = _block(target)
        elif target.where.endswith(".py"):
            root, module = _root(Path(target.where))
            self.packages = of_project(root, str(Path.cwd()))
            self.native = self._made(target, lambda: _from_file(Path(target.where).resolve(), module))
        else:
            self.native = self._made(target, lambda: importlib.import_module(target.where))
        self.framework = frameworks.owner(self.native)
        if self.framework is None:
            raise PortError(
                f"{target.where}:{target.name} gives {type(self.native).__name__}, which is no module of "
                f"{', '.join(frameworks.BACKENDS)} (for JAX: (apply, params, stats))"
            )

    def _made(self, target: Target, load: Any) -> Any:
        try:
            with self.packages:
                return _made(_attribute(load(), target), target)
        except PortError:
            raise
        except Exception as error:
            raise PortError(f"{target.where}:{target.name}: {first_line(error)}") from None


def spec_of(target: Target) -> BlockSpec | None:
    """The spec of a block of this project, which takes options by name; None if the target is no such block.

    Raises:
        UnknownName: for a block that does not exist.
        SpecError: for options that it does not have.
    """
    return block(target.name, **dict(target.options)) if target.where.partition(".")[0] == BLOCKS else None


def _block(target: Target) -> Any:
    if target.arguments:
        raise PortError(f"options of `{target.name}` need names, such as (alpha=0.5)")
    try:
        backend = known("backend", target.where.partition(".")[2], frameworks.BACKENDS)
        spec = without_dropout(block(target.name, **dict(target.options)))
        return frameworks.load(backend).build(spec, initial(spec)).native
    except (UnknownName, SpecError, frameworks.MissingFramework) as error:
        raise PortError(str(error)) from None


def _root(path: Path) -> tuple[str, str]:
    """The folder that a file's imports start from, and its dotted name there."""
    if not path.is_file():
        raise PortError(f"cannot read {path}: no such file")
    path = path.resolve()
    names, folder = [path.stem], path.parent
    while (folder / "__init__.py").exists():
        names.insert(0, folder.name)
        folder = folder.parent
    return str(folder), ".".join(names)


def _from_file(path: Path, module: str) -> ModuleType:
    if "." in module:
        return importlib.import_module(module)
    # Not under its own name, which may be that of something else (a `torch.py`).
    spec = importlib.util.spec_from_file_location(f"_target_{module}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def _attribute(module: ModuleType, target: Target) -> Any:
    value: Any = module
    for part in target.name.split("."):
        if not hasattr(value, part):
            near = difflib.get_close_matches(part, [item for item in dir(value) if not item.startswith("_")], 3)
            nearest = f"; nearest: {', '.join(near)}" if near else ""
            raise PortError(f"{target.where} has no `{target.name}`{nearest}")
        value = getattr(value, part)
    return value


def _made(value: Any, target: Target) -> Any:
    if frameworks.owner(value) is not None or not callable(value):
        return value
    options = dict(target.options)
    # The signature of a class of `nnx.Module` is its metaclass's.
    taken = inspect.signature(value.__init__ if isinstance(value, type) else value).parameters
    if "rngs" in taken and "rngs" not in options:  # a Flax module's
        given = len(target.arguments) + isinstance(value, type)
        by_position = list(taken).index("rngs") < given and taken["rngs"].kind != inspect.Parameter.KEYWORD_ONLY
        if not by_position:
            options["rngs"] = importlib.import_module("flax.nnx").Rngs(0)
    return value(*target.arguments, **options)
