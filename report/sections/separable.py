"""The section on the separable stack against the standard one: pure functions of an Analysis."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from common.bench.analysis import Analysis
from common.bench.ratio import Ratio
from common.results.measurements import Measurement
from common.results.record import CaseCost
from report.text import Table, markdown, milliseconds, number, size, unique


@dataclass(frozen=True)
class Saving:
    """How many times less time the separable stack takes than the standard one, in one backend on one map."""

    backend: str
    input_shape: str
    standard: Measurement
    separable: Measurement
    ratio: Ratio


def savings(run: Analysis) -> list[Saving]:
    """The forward times of the two stacks, for each backend and size at which both were timed."""
    forward = {
        (m.block, m.config.label, m.case.rpartition("-")[2]): m for m in run.record.measurements if m.mode == "forward"
    }
    return [
        Saving(label, size, standard, separable, run.unpaired(standard, separable))
        for (block, label, size), standard in forward.items()
        if block == "conv_stack" and (separable := forward.get(("separable_stack", label, size)))
    ]


def headline(run: Analysis) -> Iterator[str]:
    """One sentence on the savings, for the head of the report."""
    saved, costs = savings(run), {c.block: c for c in run.record.costs}
    if saved and {"conv_stack", "separable_stack"} <= costs.keys():
        times_fewer = costs["conv_stack"].macs / costs["separable_stack"].macs
        times = ", ".join(f"{s.backend} {s.ratio.short}" for s in saved if s.input_shape == saved[-1].input_shape)
        yield (
            f"**What separable convolution saves:** {times_fewer:.1f} times fewer MACs; in time, on a "
            f"{saved[-1].input_shape} input: {times}. [How much arrives](parts/costs.md#separable-against-standard)."
        )


def separable_section(run: Analysis) -> Iterator[str]:
    """What the separable stack costs, and how long it takes, compared with the standard one."""
    saved = savings(run)
    if not saved:
        return
    yield "## Separable against standard"
    yield (
        "Two stacks of ten 3x3 blocks, 3 to 128 channels, one of standard convolutions and one of depthwise and "
        "pointwise ones. How many times less does the second cost, and how much of the saving shows in the time? Below "
        "1 the separable stack is the *slower* one. Brackets show the interval, as in the [tables of times](times.md). "
        "The two stacks did not take turns, so the interval includes drift of the machine between them."
    )
    for where in unique(saving.input_shape for saving in saved):
        standard, separable = (run.costs[f"{name}-c3-{where}"] for name in ("conv_stack", "separable_stack"))
        on_this_map = [saving for saving in saved if saving.input_shape == where]
        rows = [
            _saved("trainable parameters", standard.trainable, separable.trainable, number),
            _saved("MACs", standard.macs, separable.macs, number),
            _saved("weights", standard.weight_bytes, separable.weight_bytes, size),
            _saved("activations", standard.activation_bytes, separable.activation_bytes, size),
            _saved("read and written", _traffic(standard), _traffic(separable), size),
        ]
        rows += [
            [
                f"**time in {s.backend}**",
                f"{milliseconds(s.standard.median)} ms",
                f"{milliseconds(s.separable.median)} ms",
                f"**{s.ratio.short}** {s.ratio.text.removeprefix(s.ratio.short).strip()}",
            ]
            for s in on_this_map
        ]
        yield f"### Input {where}"
        yield markdown(Table(["", "standard", "separable", "times less"], rows))
        yield verdict(on_this_map, standard.macs / separable.macs)
    yield (
        "Why the time falls less than the MACs: a depthwise convolution does little arithmetic for each byte that it "
        "moves; the separable stack moves more bytes than the standard one; and in JAX on a CPU the depthwise "
        "primitive runs on one thread ([jax#23713](https://github.com/jax-ml/jax/issues/23713)). Counts say nothing "
        "about accuracy: the "
        "authors of MobileNet report a loss of 1 % on ImageNet against its standard twin "
        "([Howard et al., 2017](https://arxiv.org/abs/1704.04861))."
    )


def _traffic(cost: CaseCost) -> int:
    return cost.read_bytes + cost.write_bytes


def _saved(what: str, standard: int, separable: int, text: Callable[[int], str]) -> list[str]:
    return [what, text(standard), text(separable), f"{standard / separable:.2f}x"]


def verdict(savings: list[Saving], fewer: float) -> str:
    """What the table says, in words that depend on its numbers."""
    falls = [f"{s.ratio.value:.1f} times in {s.backend}" for s in savings if s.ratio.low > 1]
    rises = [s.backend for s in savings if s.ratio.high < 1]
    ties = [s.backend for s in savings if s.ratio.short == "tie"]
    unknown = [s.backend for s in savings if not s.ratio.known]
    parts = [f"The MACs fall {fewer:.1f} times"]
    parts += [f"the time falls {', '.join(falls)}"] if falls else []
    parts += [f"it *rises* in {' and '.join(rises)}"] if rises else []
    parts += [f"it is a tie in {' and '.join(ties)}"] if ties else []
    parts += [f"it is not known in {' and '.join(unknown)}"] if unknown else []
    if unknown:
        return "; ".join(parts) + "."
    standard = min((s.standard for s in savings), key=lambda m: m.median)
    separable = min((s.separable for s in savings), key=lambda m: m.median)
    return (
        "; ".join(parts) + ". From the fastest standard stack "
        f"({standard.backend}, {milliseconds(standard.median)} ms) to the fastest separable one "
        f"({separable.backend}, {milliseconds(separable.median)} ms) it falls "
        f"{standard.median / separable.median:.1f} times. This is the fair figure: in a framework whose standard "
        "convolution is slow, the ratio looks better than it is."
    )
