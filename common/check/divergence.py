"""Where a framework's block first leaves the reference: layer by layer, forward, and walking back.

Each layer is judged twice. Its *error* is against the reference's own run, so it holds what the layers before it (or,
walking back, after it) have handed on. Its *own* error is against the reference's layer given what the framework's
layer was given: only a layer for which that is too large is itself wrong. Layers that a framework's block computes
without a module or function of their own are not seen there, and belong to the next one that is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from common.check import training
from common.check.cache import kept
from common.check.comparison import Values, compare_all
from common.oracle import backprop, reference, rounding
from common.oracle.backprop import Pass, without_dropout
from common.oracle.rounding import UNIT_ROUNDOFF
from common.oracle.training_rounding import Rounded, allowances
from common.protocols import Backend
from common.results.record import LayerRow
from common.spec import INPUT, BlockSpec, Node, inputs
from common.spec.catalogue import Case
from common.spec.params import Arrays, randomised

OUTPUT, TRAINED, GRADIENT = STAGES = ("output", "training output", "gradient")
OPTIMISER = "optimiser"


@dataclass(frozen=True)
class Seen:
    """What was seen in a framework's block: outputs and their gradients by node; what is missing was not."""

    outputs: Arrays = field(default_factory=dict)
    cotangents: Arrays = field(default_factory=dict)

    def usable(self, shapes: dict[str, tuple[int, ...]]) -> "Seen":
        """What the reference's layers can read: of its nodes, of the right shape, and finite."""

        def keep(arrays: Arrays) -> Arrays:
            return {n: a for n, a in arrays.items() if a.shape == shapes.get(n) and np.isfinite(a).all()}

        return Seen(keep(self.outputs), keep(self.cotangents))


class Fed(Rounded):
    """A training pass whose layers read what a framework's layers gave; ``found`` is what they make of it.

    ``found`` has outputs as ``training output <node>``, their gradients as ``gradient <node>``, and those of arrays.
    """

    def __init__(self, rng: np.random.Generator, u: float, held: Seen, exact: Pass | None) -> None:
        super().__init__(rng, u, [exact] if exact else [])
        self._held = held
        self.found: Arrays = {}

    def output(self, node: Node, params: Arrays, inputs: list[np.ndarray], y: np.ndarray) -> np.ndarray:
        self.found[f"{TRAINED} {node.name}"] = y = super().output(node, params, inputs, y)
        if node.name not in self._held.outputs:
            return y
        del self._values[node.name]  # what is given has no error
        return self._held.outputs[node.name]

    def cotangent(self, node: Node, dy: np.ndarray) -> np.ndarray:
        self.found[f"{GRADIENT} {node.name}"] = dy
        return self._held.cotangents.get(node.name, dy)


def _pass(spec: BlockSpec, params: Arrays, x: np.ndarray, dy: np.ndarray, dtype: str, held: Seen) -> Values:
    """`Fed.found` of a training pass without rounding, with what rounding allows."""
    rng, u = np.random.default_rng(0), UNIT_ROUNDOFF[dtype] + UNIT_ROUNDOFF["float64"]

    def run(u: float, exact: Pass | None) -> tuple[Pass, Arrays]:
        fed = Fed(rng, u, held, exact)
        found = backprop.train(spec, params, x, dy, fed)
        return found, fed.found | found.gradients

    exact, found = run(0.0, None)
    maps = {INPUT, *(name for name in found if " " in name)}
    return Values(found, allowances([found], lambda: [run(u, exact)[1]], maps)[0])


def _evaluation(spec: BlockSpec, params: Arrays, x: np.ndarray, dtype: str, held: Arrays) -> Values:
    """What the layers make, in evaluation, of what they are given, with what rounding allows."""
    values = {INPUT: x.astype(np.float64)}

    def keep(node: Node, y: np.ndarray) -> np.ndarray:
        values[node.name] = y
        return held.get(node.name, y)

    reference.run(spec, params, x, keep)
    return Values(values, rounding.allowances(spec, params, values, dtype, held))


def _row(node: str, layer: str, stage: str, seen: Arrays, run: Values, fed: Values) -> LayerRow:
    """Compares the arrays of these names, those of them that were seen, with both of the reference's."""

    def against(values: Values) -> tuple[float | None, float | None]:
        wanted = Values({n: values.exact[n] for n in seen}, {n: values.allowed[n] for n in seen})
        compared, _ = compare_all(seen, wanted)
        return compared.error, compared.allowance

    return LayerRow(node, layer, stage, *against(run), *against(fed))


def trace(case: Case, backend: Backend, training: bool = True) -> list[LayerRow]:
    """Every layer that can be seen in the backend's block: see `rows`."""
    return list(rows(case, backend, training))


def rows(case: Case, backend: Backend, training: bool, kind: str = inputs.KINDS[0]) -> Iterator[LayerRow]:
    """A layer's output in evaluation, on a kind of input, and for ``training`` its output then and the gradients it
    computes, of its inputs and its arrays; each in the order of work.

    Raises:
        Exception: what the block raises, after the layers that were seen before.
    """
    yield from _forward(case, backend, kind)
    if training:
        yield from _training(case, backend)


def _forward(case: Case, backend: Backend, kind: str) -> Iterator[LayerRow]:
    spec, params = case.spec, randomised(case.spec, case.seed)
    x = inputs.make(kind, case.input_shape, case.seed)
    built = backend.build(spec, params, dtype=case.dtype, strict=case.dtype == "float64")
    seen = Seen(built.trace(x)[0])
    held = seen.usable(spec.shapes(case.input_shape))
    run = kept(Values, ("evaluation", case, kind), lambda: _evaluation(spec, params, x, case.dtype, {}))
    fed = _evaluation(spec, params, x, case.dtype, held.outputs)
    for node in spec.nodes:
        if node.name in seen.outputs:
            yield _row(node.name, layer_kind(node), OUTPUT, {node.name: seen.outputs[node.name]}, run, fed)


def _training(case: Case, backend: Backend) -> Iterator[LayerRow]:
    spec, params = without_dropout(case.spec), randomised(case.spec, case.seed)
    x, dy = training.batches(case)[0]
    built = backend.build(spec, params, dtype=case.dtype, strict=case.dtype == "float64")
    seen = Seen(*built.trace(x, dy))
    built.load(params)
    found = {f"{TRAINED} {name}": array for name, array in seen.outputs.items()}
    found |= {f"{GRADIENT} {name}": array for name, array in seen.cotangents.items()}
    stopped = None
    try:
        found |= built.gradients(x, dy)
    except Exception as error:  # raised again after what was seen before it
        stopped = error
    held = seen.usable(spec.shapes(case.input_shape))
    run = kept(Values, ("training pass", case), lambda: _pass(spec, params, x, dy, case.dtype, Seen()))
    fed = _pass(spec, params, x, dy, case.dtype, held)
    kinds = {node.name: layer_kind(node) for node in spec.nodes}
    for node in spec.nodes:
        if (name := f"{TRAINED} {node.name}") in found:
            yield _row(node.name, kinds[node.name], TRAINED, {name: found[name]}, run, fed)
    last = spec.nodes[-1].name
    if (name := f"{GRADIENT} {last}") in found:  # that of the block's output, unless other code comes after the layers
        row = _row(f"after {last}", "", GRADIENT, {name: found[name]}, run, fed)
        if row.differs:
            yield row
    for readers, names in _gradients(spec):
        if arrays := {name: found[name] for name in names if name in found}:
            yield _row(" or ".join(readers), " or ".join(kinds[name] for name in readers), GRADIENT, arrays, run, fed)
    if stopped:
        raise stopped


def _gradients(spec: BlockSpec) -> Iterator[tuple[list[str], list[str]]]:
    """Walking back: which layers compute which gradients. One that several contribute to is theirs together."""
    readers: dict[str, list[str]] = {}
    for node in spec.nodes:
        for source in dict.fromkeys(node.inputs):
            readers.setdefault(source, []).append(node.name)
    for node in reversed(spec.nodes):
        own = [f"{node.name}.{param.name}" for param in node.layer.params()]
        shared = []
        for source in dict.fromkeys(node.inputs):
            name = INPUT if source == INPUT else f"{GRADIENT} {source}"
            if readers[source] == [node.name]:
                own.append(name)
            elif readers[source][0] == node.name:  # here the sum is complete
                shared.append((readers[source], [name]))
        yield [node.name], own
        yield from shared


def layer_kind(node: Node) -> str:
    """``Conv2d``."""
    return type(node.layer).__name__


def first(rows: Sequence[LayerRow], stage: str) -> LayerRow | None:
    """The first layer that leaves the reference in a stage."""
    return next((row for row in rows if row.stage == stage and row.differs), None)


def told(row: LayerRow) -> str:
    """What a failure says of the layer at which it begins."""
    if not row.layer:
        return f"begins {row.node}, in code outside the layers"
    verdict = "is itself wrong" if row.wrong else "by itself errs no more than is allowed: errors have added up"
    return f"begins at `{row.node}` ({row.layer}), which {verdict}"
