"""A pass of both modules in one mode, and what is found in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.port import pairing, parting
from common.port.allowances import numbered
from common.port.live import OUTPUT, TURNED, Observed
from common.port.matching import Matching
from common.port.parting import Finding
from common.port.weights import PortError
from common.spec.params import Arrays, Shapes


@dataclass(frozen=True)
class Pass:
    """What both modules do in one mode; the second's results under the names and in the layouts of the first."""

    mode: str
    right: Observed
    actual: Observed
    missing: tuple[str, ...] = ()  # arrays of the first with a gradient in one only


def paired(
    mode: str, right: Observed, actual: Observed, ties: Sequence[pairing.Tie], matching: Matching, shapes: Shapes
) -> Pass:
    """The second's pass as the first's."""
    outputs = {tie.first: TURNED[tie.layout](actual.outputs[tie.second]) for tie in ties}
    gradients = matching.moved(actual.gradients, shapes, back=True)
    untied = [name for pair in matching.pairs for name in pair[1] if pair[0][0] not in gradients]
    missing = {*(right.gradients.keys() ^ gradients.keys()), *(name for name in untied if name in actual.gradients)}
    arrays = matching.moved(actual.arrays, shapes, back=True)
    right = replace(right, outputs={tie.first: right.outputs[tie.first] for tie in ties})
    actual = replace(actual, outputs=outputs, gradients=gradients, arrays=arrays)
    return Pass(mode, right, actual, tuple(sorted(missing)))


def findings_of(pass_: Pass, allowed: Mapping[str, Arrays]) -> Iterator[Finding]:
    """Of each output, and in training of the gradients and running statistics, by what ``allowed`` says."""
    right, actual = pass_.right, pass_.actual
    for name, y in right.outputs.items():
        which = "output" if name == OUTPUT else f"output `{name}`"
        yield parting.worst(f"{which} in {pass_.mode}", {name: y}, actual.outputs, allowed["outputs"])
    if pass_.mode != "training":
        return
    if right.inputs:
        yield parting.worst("gradient of the input", numbered(right), numbered(actual), allowed["inputs"])
    if pass_.missing:
        yield Finding("gradients", f"trained in one only: {', '.join(pass_.missing)}")
    elif right.gradients:
        yield parting.worst("gradients of the parameters", right.gradients, actual.gradients, allowed["gradients"])
    if allowed["statistics"]:
        statistics = {name: right.arrays[name] for name in allowed["statistics"]}
        yield parting.worst("running statistics after a pass", statistics, actual.arrays, allowed["statistics"])


def refuse_constant(right: Observed, allowed: Mapping[str, Arrays]) -> None:
    """Raises `PortError` if every output is finite and nearly constant."""

    def constant(name: str, y: np.ndarray) -> bool:
        return bool(np.isfinite(y).all()) and float(y.std()) <= 1000 * float(np.median(allowed["outputs"][name]))

    if all(constant(name, y) for name, y in right.outputs.items()):
        raise PortError("the output is nearly constant, so no port could fail")
