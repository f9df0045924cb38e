"""Where a failure begins: the layer that is named beside a failed level of `common.check.judge`."""

from dataclasses import replace

from common.check import divergence, training, use
from common.names import first_line
from common.protocols import Backend
from common.results.record import CheckResult, LayerRow
from common.spec import inputs
from common.spec.catalogue import Case

Judged = tuple[CheckResult, list[str]]  # with the arrays that are wrong, where the level is about arrays by name

STAGES = {
    "builds": divergence.OUTPUT,
    "shape": divergence.OUTPUT,
    "forward": divergence.OUTPUT,
    "forward_train": divergence.TRAINED,
    "buffers": divergence.TRAINED,
    "gradients": divergence.GRADIENT,
    "trajectory": divergence.GRADIENT,
    use.LEVEL: divergence.OUTPUT,
}


def located(case: Case, backend: Backend, judged: list[Judged], failed: set[str]) -> list[CheckResult]:
    """The results; those of the ``failed`` levels name a layer, or the last one that agrees, or say why they cannot."""
    kinds = [result.input for result, _ in judged if result.level == "forward" and not result.passed]
    rows, error = list[LayerRow](), None
    try:
        for row in divergence.rows(case, backend, not failed.isdisjoint(training.LEVELS), (kinds or inputs.KINDS)[0]):
            rows.append(row)
    except Exception as raised:  # a block that raises is seen as far as it comes
        error = raised
    return [
        _located(case, result, wrong, rows, error) if result.level in failed and not result.passed else result
        for result, wrong in judged
    ]


def _located(
    case: Case, result: CheckResult, wrong: list[str], rows: list[LayerRow], error: Exception | None
) -> CheckResult:
    def at(layer: str, sentence: str) -> CheckResult:
        return replace(result, layer=layer, message=f"{result.message}; {sentence}")

    if result.layer:
        return at(result.layer, f"at `{result.layer}`")
    stage = STAGES.get(result.level, "")
    if row := divergence.first(rows, stage):
        return at(row.node, divergence.told(row))
    # Every layer computes what it should: what is wrong is what is held, or how it is renewed, or no layer at all.
    order = [param.name for param in case.spec.params()]
    trained = {param.name for param in case.spec.params() if param.trainable}
    names = dict.fromkeys(n.rpartition(".")[0] for n in sorted(wrong, key=[*order, *wrong].index) if "." in n)
    several = len({n.rpartition(".")[0] for n in trained.intersection(wrong)}) > 1
    layers = [divergence.OPTIMISER] if result.level == "trajectory" and (several or not names) else list(names)
    if layers:
        return at(layers[0], f"at `{layers[0]}`")
    forward = [row.node for row in rows if row.stage != divergence.GRADIENT]
    seen = [row.node for row in rows if row.stage == stage] or forward
    if result.level == use.LEVEL and seen and not error:
        return at("", "built anew, the block agrees in every layer")
    raised = "" if error is None or first_line(error) in result.message else f": {first_line(error)}"
    if seen:
        return at(f"after {seen[-1]}", f"begins after `{seen[-1]}`, the last layer that agrees{raised}")
    if result.level == "builds" or error:  # which may have raised before there was any layer, or where none can be seen
        return at("", f"no layer was seen{raised}")
    node = case.spec.nodes[0].name
    return at(f"before {node}", f"begins before `{node}`, the first layer: none was seen{raised}")
