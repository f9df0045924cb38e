"""The blocks' code in the frameworks' files, read as text: no framework is imported."""

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

import frameworks
from report.paths import ROOT

TITLES = {name: row.title for name, row in frameworks.BACKENDS.items()}


@dataclass(frozen=True)
class _File:
    """A Python file's definitions and where its names come from."""

    path: Path
    text: str
    definitions: dict[str, ast.stmt]
    imports: dict[str, Path]


@functools.cache
def _read(path: Path) -> _File:
    text = path.read_text(encoding="utf-8")
    definitions: dict[str, ast.stmt] = {}
    imports: dict[str, Path] = {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            definitions[node.name] = node
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("frameworks."):
            file = ROOT / f"{(node.module or '').replace('.', '/')}.py"
            imports |= {alias.asname or alias.name: file for alias in node.names if file.exists()}
    return _File(path, text, definitions, imports)


def _segment(file: _File, node: ast.stmt) -> str:
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    return "\n".join(file.text.splitlines()[first - 1 : node.end_lineno])


def _collect(path: Path, name: str, collected: dict[Path, dict[str, str]]) -> None:
    """Puts a definition into ``collected``, after those that it uses."""
    file = _read(path)
    node = file.definitions.get(name)
    if node is None or name in collected.setdefault(path, {}):
        return
    for used in dict.fromkeys(child.id for child in ast.walk(node) if isinstance(child, ast.Name)):
        if used in file.imports:
            _collect(file.imports[used], used, collected)
        elif used != name:
            _collect(path, used, collected)
    collected[path][name] = _segment(file, node)


def block_file(framework: str, family: str) -> tuple[Path, str]:
    """The file of a block in a framework and its name there, from the table in ``blocks/__init__.py``."""
    file = _read(ROOT / "frameworks" / framework / "blocks" / "__init__.py")
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == family and isinstance(value, ast.Name):
                    return file.imports[value.id], value.id
    raise KeyError(family)


def block_code(framework: str, family: str) -> str:
    """The block's code, after the code that it uses from other files of the framework; each part names its file."""
    path, name = block_file(framework, family)
    collected: dict[Path, dict[str, str]] = {}
    _collect(path, name, collected)
    parts = sorted(
        ((file, list(code.values())) for file, code in collected.items() if code), key=lambda item: item[0] == path
    )
    return "\n\n\n".join(f"# {file.relative_to(ROOT)}\n\n" + "\n\n\n".join(code) for file, code in parts)
