"""The section on what the blocks cost: pure functions from a RunRecord."""

from collections.abc import Iterator, Sequence

from common.results.record import CaseCost, RunRecord
from common.spec.blocks import convolutions
from report.text import Table, markdown, number, shape, size

FORMULAS = Table(
    ["convolution", "weights", "MACs"],
    [
        ["standard", "k²·C_in·C_out", "k²·C_in·C_out·H·W"],
        ["grouped", "standard / groups", "standard / groups"],
        ["depthwise", "k²·C", "k²·C·H·W"],
        ["pointwise", "C_in·C_out", "C_in·C_out·H·W"],
        ["depthwise + pointwise", "k²·C_in + C_in·C_out", "(k²·C_in + C_in·C_out)·H·W"],
        ["separable / standard", "1/C_out + 1/k²", "1/C_out + 1/k²"],
    ],
)
FOUR = tuple(case.id for entry in convolutions.ENTRIES for case in entry.published)


def costs_section(record: RunRecord) -> Iterator[str]:
    """Parameters, MACs and bytes, from the graphs; and the parameters as the frameworks count them."""
    if not record.costs:
        return
    yield "## What the blocks cost"
    yield (
        "*MACs* are the multiply-accumulates of convolutions and linear layers; *FLOPs* are twice that. Tools use the "
        "words differently: fvcore, thop and ptflops print MACs, torch's FlopCounterMode and XLA print 2 x MACs. "
        "The tables of this section are derived from the layer graph; only the last counts the frameworks' arrays."
    )
    yield from _four(record)
    yield "### Published and timed settings"
    yield (
        "*Buffers* are running statistics, which are not trained. *Activations* are every layer's output, counted "
        "once. *Read* and *written* are the memory traffic of float32 layers that run one after another, with nothing "
        "fused."
    )
    listed = [c for c in record.costs if c.case not in FOUR]
    yield markdown(counts(listed))
    yield markdown(memory(listed))
    yield "The same counts, from the arrays of each framework (where that setting was checked):"
    yield markdown(holdings(record, record.costs))


def _four(record: RunRecord) -> Iterator[str]:
    four = [cost for name in FOUR for cost in record.costs if cost.case == name]
    if len(four) < len(FOUR):
        return
    yield "### Four convolutions on one small map"
    yield "Input 1x6x4x4, kernel 2, stride 1, no padding, no bias; the pointwise convolution reads the 3x3 map."
    depthwise, pointwise = four[2:]
    rows = [[f"`{c.block}`", number(c.trainable), number(c.macs), shape(c.output_shape)] for c in four]
    both = [number(depthwise.trainable + pointwise.trainable), number(depthwise.macs + pointwise.macs)]
    rows.append(["depthwise, then pointwise", *both, shape(pointwise.output_shape)])
    yield markdown(Table(["convolution", "weights", "MACs", "output"], rows))
    yield (
        "The formulas (k: kernel size; H, W: size of the output). For k = 3 the last row is often quoted as 1/9; the "
        "term 1/C_out is added to it."
    )
    yield markdown(FORMULAS)


def counts(costs: Sequence[CaseCost]) -> Table:
    """Parameters, MACs and FLOPs of cases."""
    rows = [
        [
            f"`{c.case}`",
            shape(c.output_shape),
            number(c.trainable),
            number(c.buffers),
            number(c.macs),
            number(c.flops),
        ]
        for c in costs
    ]
    return Table(["case", "output", "trainable", "buffers", "MACs", "FLOPs"], rows)


def memory(costs: Sequence[CaseCost]) -> Table:
    """Bytes of cases."""
    rows = [
        [f"`{c.case}`", *map(size, (c.weight_bytes, c.activation_bytes, c.read_bytes, c.write_bytes))] for c in costs
    ]
    return Table(["case", "weights", "activations", "read", "written"], rows)


def counted(record: RunRecord, case: str) -> str:
    """The arrays of a checked case as each framework counts them; empty if it was not checked."""
    results = [r for r in record.checks if r.level == "parameters" and r.case == case]
    counts = {f"{number(r.trainable)} + {number(r.buffers or 0)}" for r in results if r.trainable is not None}
    if len(counts) == 1:
        return f"{counts.pop()} in {' '.join(r.backend for r in results)}"
    return "; ".join(f"{r.backend} {r.trainable} + {r.buffers}" for r in results)


def holdings(record: RunRecord, costs: Sequence[CaseCost]) -> Table:
    """Trainable values and buffers of the checked cases, in the spec and as the frameworks count them."""
    # A case's name without the input's shape, which parameters do not depend on.
    spec = {c.case.rpartition("-")[0]: f"{number(c.trainable)} + {number(c.buffers)}" for c in costs}
    rows = [[f"`{case}`", expected, text] for case, expected in spec.items() if (text := counted(record, case))]
    return Table(["case", "spec: trainable + buffers", "frameworks"], rows)
