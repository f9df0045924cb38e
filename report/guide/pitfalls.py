"""A pitfall of porting: a file of tests/pitfalls, read as text for the pages and run for their figures.

The file's docstring is a title and an explanation. ``FROM`` names the framework of ``source()``; for every other
framework that it concerns there are ``naive_<framework>()``, the port that goes wrong, and ``right_<framework>()``.
Where another framework does what that of ``source()`` does, ``source_<framework>()`` is its own, and the ports are run
from there too. Each returns what its port computes, as a NumPy array. ``LAYERS`` says which layers of the vocabulary
are concerned, ``SYMPTOMS`` how one notices it, ``THREADS`` where people met it, and ``RELATED`` what else to read.
``HARMFUL`` and ``HARMLESS`` hold the pitfall's range: other values of the file's constants, with which the naive port
is wrong as well and with which it agrees; the right port agrees with all of them.

What wrong and right mean: outcomes are compared with the source's, whose greatest absolute value is their *scale*.
**Right** is no further off than rounding may put two results, each ``ALLOWED`` deviations (common/oracle/rounding.py)
of a sum of ``TERMS`` terms. Such a deviation is below ``u * sqrt(TERMS) * scale`` where the scale is no less than the
root of the sum of the squared terms, as it is for many sums of terms in no particular order. Whole numbers must be
equal.
**Wrong** is an exception, another shape, other whole numbers, or more than 1000 roundings ``u * scale``. Where the
outcome is the standard deviation of ``SAMPLES`` draws, right is within 5 standard errors of the difference of two such,
at most ``scale / sqrt(SAMPLES)`` each, and wrong more than 50.
"""

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from common.oracle.rounding import ALLOWED, UNIT_ROUNDOFF

FOLDER = Path(__file__).parents[2] / "tests" / "pitfalls"
WRONG = 1000

# What a porter sees, from the first to the last that can be seen.
SYMPTOMS = {
    "raises": "It raises an error",
    "loading-fails": "Weights do not load, or load without a word and are wrong",
    "shape-differs": "A shape differs",
    "counts-differ": "The number of parameters or of FLOPs differs",
    "layer-differs": "The output of a layer differs, the first one perhaps",
    "evaluation-differs": "Training agrees, only evaluation differs",
    "gradients-differ": "The outputs agree, only gradients differ",
    "loss-differs": "The outputs agree, the loss differs",
    "training-diverges": "The first step agrees, then training diverges or goes another way",
    "accuracy-lower": "The network agrees, and the accuracy is lower",
    "slower": "It agrees and is slower",
}
Setting = dict[str, Any]  # a file's constants by name


@dataclass(frozen=True)
class Outcome:
    """How a port compares with its source: ``kind`` is right, differs, shape, raises or unclear."""

    kind: str
    detail: str
    error: float | None = None  # greatest absolute difference
    scale: float | None = None  # greatest absolute value of the source's outcome
    allowance: float | None = None


def pair_name(source: str, target: str) -> str:
    """``torch-to-paddle``."""
    return f"{source}-to-{target}"


@dataclass(frozen=True)
class Pitfall:
    """One file of tests/pitfalls."""

    path: Path
    source: str

    @property
    def id(self) -> str:
        return self.path.stem

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """The module's constants whose values are literals."""
        found = {}
        for node in self._tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                try:
                    found[node.targets[0].id] = ast.literal_eval(node.value)
                except ValueError:
                    continue
        return found

    @property
    def title(self) -> str:
        return (ast.get_docstring(self._tree) or "").partition("\n")[0]

    @property
    def text(self) -> str:
        return " ".join((ast.get_docstring(self._tree) or "").partition("\n")[2].split())

    @property
    def origin(self) -> str:
        return self._constants["FROM"]

    def link(self, folder: str = "") -> str:
        """Its title as a link from a page to ``folder``, which holds the pitfalls' pages."""
        return f"[{self.title}]({folder}{self.id}.md)"

    @property
    def layers(self) -> tuple[str, ...]:
        return self._constants["LAYERS"]

    @property
    def symptoms(self) -> tuple[str, ...]:
        return self._constants["SYMPTOMS"]

    @property
    def threads(self) -> tuple[str, ...]:
        return self._constants["THREADS"]

    @property
    def related(self) -> tuple[str, ...]:
        return self._constants.get("RELATED", ())

    @property
    def harmful(self) -> tuple[Setting, ...]:
        return self._constants.get("HARMFUL", ())

    @property
    def harmless(self) -> tuple[Setting, ...]:
        return self._constants.get("HARMLESS", ())

    @property
    def sampled(self) -> bool:
        """Whether the outcome is a statistic of random draws."""
        return "\nSAMPLES = " in self.source

    @property
    def targets(self) -> tuple[str, ...]:
        return self._frameworks("naive_")

    @property
    def origins(self) -> tuple[str, ...]:
        """The frameworks that have a source, that of ``FROM`` first."""
        return self.origin, *self._frameworks("source_")

    @property
    def ports(self) -> tuple[str, ...]:
        """The pairs in which it is run, such as ``torch-to-paddle``."""
        return tuple(pair_name(a, b) for a in self.origins for b in self.targets if a != b)

    @property
    def of_optax(self) -> bool:
        """Whether its port to JAX is one to optax, which Flax trains with too."""
        return "naive_jax" in self._functions and "optax" in self.code("naive_jax")

    def run_as(self, source: str, target: str) -> str | None:
        """The one of `ports` that speaks of this pair; that to JAX speaks of Flax too where it is one to optax."""
        pairs = [pair_name(source, target)]
        if target == "flax" and self.of_optax:
            pairs.append(pair_name(source, "jax"))
        return next((pair for pair in pairs if pair in self.ports), None)

    def _frameworks(self, prefix: str) -> tuple[str, ...]:
        return tuple(name.removeprefix(prefix) for name in self._functions if name.startswith(prefix))

    @cached_property
    def _functions(self) -> dict[str, ast.FunctionDef]:
        return {node.name: node for node in self._tree.body if isinstance(node, ast.FunctionDef)}

    def code(self, name: str, shown: str = "") -> str:
        """A function as it stands in the file, after the helpers that it calls; all but what is ``shown`` already."""
        used = {node.id for node in ast.walk(self._functions[name]) if isinstance(node, ast.Name)}
        sources = ("source", *(f"source_{origin}" for origin in self.origins))
        helpers = [self.code(helper) for helper in self._functions if helper in used and helper not in (name, *sources)]
        own = ast.get_source_segment(self.source, self._functions[name]) or ""
        return "\n\n\n".join([*(helper for helper in helpers if helper not in shown), own])

    @cached_property
    def setup(self) -> str:
        """The statements before the functions that are neither imports nor about the page."""
        about = ("FROM", "LAYERS", "THREADS", "RELATED", "SYMPTOMS", "HARMFUL", "HARMLESS", "TERMS", "SAMPLES")
        lines = self.source.splitlines()
        kept = []
        for node in self._tree.body[1:]:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") not in about:
                kept += lines[node.lineno - 1 : node.end_lineno]
        return "\n".join(kept)

    def _module(self, setting: Setting) -> dict[str, Any]:
        """The file's names after it ran, with the values of ``setting`` in place of its own."""
        tree, replaced = ast.parse(self.source), set()
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in setting:
                node.value = ast.parse(repr(setting[node.targets[0].id]), mode="eval").body
                replaced.add(node.targets[0].id)
        if replaced != setting.keys():
            raise ValueError(f"{self.path.name} has no constant {', '.join(sorted(setting.keys() - replaced))}")
        names: dict[str, Any] = {"__name__": self.id}
        exec(compile(tree, self.path, "exec"), names)
        return names

    def run(self, port: str, setting: Setting | None = None) -> tuple[Outcome, Outcome]:
        """Runs the naive and the right port of one of `ports` beside its source.

        Raises:
            ValueError: if ``setting`` names what is no constant of the file.
        """
        module = self._module(setting or {})
        origin, target = port.split("-to-")
        expected = np.asarray(module["source" if origin == self.origin else f"source_{origin}"]())
        terms, samples = module.get("TERMS", 1), module.get("SAMPLES")
        naive, right = (judged(module[f"{kind}_{target}"], expected, terms, samples) for kind in ("naive", "right"))
        return naive, right


def judged(port: Callable[[], Any], expected: np.ndarray, terms: int = 1, samples: int | None = None) -> Outcome:
    """How what ``port`` returns compares with ``expected``; see the module's docstring for the rule."""
    try:
        found = np.asarray(port())
    except ImportError:
        raise
    except Exception as error:  # whatever a naive port meets is its outcome
        return Outcome("raises", f"{type(error).__name__}: {' '.join(str(error).split())[:160]}")
    if found.shape != expected.shape:
        return Outcome("shape", f"shape {found.shape} instead of {expected.shape}")
    scale = float(np.abs(expected).max())
    error = float(np.abs(found.astype(np.float64) - expected.astype(np.float64)).max())
    if expected.dtype.kind in "iub":
        detail = f"{found} instead of {expected}" if error else "the same"
        return Outcome("differs" if error else "right", detail, error, scale, 0.0)
    if samples:
        allowed, wrong = 5 * scale / math.sqrt(samples), 50 * scale / math.sqrt(samples)
    else:
        u = UNIT_ROUNDOFF[str(expected.dtype)]
        allowed, wrong = 2 * ALLOWED * u * math.sqrt(terms) * scale, WRONG * u * scale
    kind = "right" if error <= allowed else "unclear" if error <= wrong else "differs"  # a NaN differs
    return Outcome(kind, f"off by {error:.3g}, where the greatest value is {scale:.3g}", error, scale, allowed)


def load() -> tuple[Pitfall, ...]:
    """Every pitfall, by name of its file."""
    return tuple(Pitfall(path, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("[a-z]*.py")))
